import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

/// A pool's way from one template to the next, pass by pass.
@Suite struct RolloutDecisionTests {
    static let old = KubernetesVersion(1, 20, 2)
    static let new = KubernetesVersion(1, 20, 3)
    static let now = Timestamp.parse("2026-03-01T12:00:00Z") ?? .distantPast

    static var cluster: HostedCluster {
        var cluster = PoolDecisionTests.cluster
        cluster.spec?.version = new
        cluster.status?.version = new
        return cluster
    }

    static func revision(_ version: KubernetesVersion, _ configuration: NodeConfiguration? = nil) -> String {
        NodeTemplate(version: version, configuration: configuration).revision
    }

    static func pool(_ replicas: Int, surge: Int = 0, unavailable: Int = 1, type: String = "Replace") -> NodePool {
        var pool = PoolDecisionTests.pool(replicas: replicas)
        pool.spec?.upgrade = UpgradeSpec(type: type, maxSurge: surge, maxUnavailable: unavailable)
        pool.spec?.version = new
        return pool
    }

    /// A node of that version.
    static func node(_ name: String, _ version: KubernetesVersion, phase: MachinePhase = .ready, isReady: Bool = true) -> Machine {
        var machine = PoolDecisionTests.held(
            name, phase: phase, isReady: isReady, podCIDR: "10.244.\(name.unicodeScalars.first?.value ?? 0).0/24")
        machine.status?.claim?.revision = revision(version)
        machine.status?.claim?.claimedAt = Timestamp.format(now.addingTimeInterval(-60))
        if phase == .ready { machine.status?.facts = MachineFacts(kubeletVersion: version.description) }
        return machine
    }

    static func decide(_ pool: NodePool, _ machines: [Machine], at time: Date = now) -> PoolDecision {
        PoolDecision(pool: pool, cluster: cluster, machines: machines, now: time)
    }

    // MARK: What rolls

    /// The same spec is the same template under every release of the operator: these numbers stay for ever.
    @Test func revisionsAreThoseOfEveryRelease() {
        #expect(Self.revision(Self.old) == "ba7371699f")
        let configuration = NodeConfiguration(
            kubelet: ["maxPods": 50],
            containerd: ContainerdConfiguration(registries: [ContainerRegistry(host: "docker.io", insecure: true)]),
            sysctls: ["vm.swappiness": "1"], files: [NodeFile(path: "/etc/x", mode: "0600", content: "y")], preJoinCommands: ["true"],
            postJoinCommands: ["false"])
        #expect(Self.revision(KubernetesVersion(1, 36, 2), configuration) == "da902e9992")
    }

    /// What an operator's release brings along and renders is no part of it: two releases that bring other programs, images and kubelet
    /// configurations are told apart by nothing that goes into it, which is the spec alone.
    @Test func partsThatSayNothingAreNoDifference() {
        let nothing = NodeConfiguration(
            kubelet: [:], containerd: ContainerdConfiguration(registries: []), sysctls: [:], files: [], preJoinCommands: [],
            postJoinCommands: [])
        #expect(Self.revision(Self.old, nothing) == Self.revision(Self.old))
        #expect(Self.revision(Self.old, NodeConfiguration()) == Self.revision(Self.old))
    }

    static let changes: [(name: String, rolls: Bool, change: @Sendable (inout NodePoolSpec) -> Void)] = [
        ("version", true, { $0.version = KubernetesVersion(1, 20, 2) }),
        ("the version that the cluster has anyway", false, { $0.version = new }),
        ("kubelet", true, { $0.nodeConfiguration = NodeConfiguration(kubelet: ["maxPods": 50]) }),
        (
            "registries", true,
            {
                $0.nodeConfiguration = NodeConfiguration(
                    containerd: ContainerdConfiguration(registries: [ContainerRegistry(host: "docker.io", insecure: true)]))
            }
        ),
        ("sysctls", true, { $0.nodeConfiguration = NodeConfiguration(sysctls: ["vm.swappiness": "1"]) }),
        ("files", true, { $0.nodeConfiguration = NodeConfiguration(files: [NodeFile(path: "/etc/x", content: "")]) }),
        ("preJoinCommands", true, { $0.nodeConfiguration = NodeConfiguration(preJoinCommands: ["true"]) }),
        ("postJoinCommands", true, { $0.nodeConfiguration = NodeConfiguration(postJoinCommands: ["true"]) }),
        ("an empty configuration", false, { $0.nodeConfiguration = NodeConfiguration(files: []) }),
        ("labels", false, { $0.labels = ["tier": "x"] }),
        ("taints", false, { $0.taints = [Taint(key: "a", effect: "NoSchedule")] }),
        ("replicas", false, { $0.replicas = 1 }),
        ("drain timeout", false, { $0.drainTimeout = "1h" }),
        ("selector", false, { $0.machineSelector = LabelSelector(matchLabels: ["rack": "1"]) }),
        ("auto repair", false, { $0.autoRepair = AutoRepairSpec(enabled: true) }),
        ("the way of upgrading", false, { $0.upgrade = UpgradeSpec(type: "InPlace", maxSurge: 3, maxUnavailable: 2, readyTimeout: "1h") }),
        ("a pause", false, { $0.upgrade = UpgradeSpec(paused: true) }),
    ]

    @Test(arguments: changes.indices) func whatRollsANode(index: Int) throws {
        let change = Self.changes[index]
        var pool = PoolDecisionTests.pool(replicas: 1)
        let before = try #require(NodeTemplate(pool, in: Self.cluster))
        var spec = try #require(pool.spec)
        change.change(&spec)
        pool.spec = spec
        let after = try #require(NodeTemplate(pool, in: Self.cluster))
        #expect((before.revision != after.revision) == change.rolls, "\(change.name)")
        var machine = Self.node("a", Self.new)
        machine.status?.claim?.revision = before.revision
        #expect((Self.decide(pool, [machine]).rollout.outdated == 1) == change.rolls, "\(change.name)")
    }

    /// A pool that names no version follows the control plane that serves, and never the one that is to come.
    @Test func theVersionIsTheServingControlPlanes() {
        var pool = Self.pool(1)
        pool.spec?.version = nil
        var cluster = Self.cluster
        cluster.spec?.version = KubernetesVersion(1, 21, 0)
        #expect(NodeTemplate(pool, in: cluster)?.version == Self.new)
        cluster.status?.version = KubernetesVersion(1, 21, 0)
        #expect(NodeTemplate(pool, in: cluster)?.version == KubernetesVersion(1, 21, 0))
    }

    @Test func neverPastWhatSkewAllows() {
        var pool = Self.pool(1)
        pool.spec?.version = KubernetesVersion(1, 21, 0)
        let decision = Self.decide(pool, [Self.node("a", Self.new), PoolDecisionTests.free("b")])
        #expect(decision.problem?.contains("newer than its API server") == true)
        #expect(decision.releases.isEmpty && decision.claims.isEmpty && decision.rollout.upgrades.isEmpty)
    }

    /// Made by an operator that knew no revisions: the configuration is taken to be what it is, and the kubelet's version is known.
    @Test func nodesOfAnEarlierOperatorDoNotRoll() {
        var machine = Self.node("a", Self.new)
        machine.status?.claim?.revision = nil
        #expect(Self.decide(Self.pool(1), [machine]).rollout.state == .complete)
        machine.status?.facts?.kubeletVersion = Self.old.description
        #expect(Self.decide(Self.pool(1), [machine]).rollout.outdated == 1)
    }

    // MARK: Replace

    struct Step: Sendable, CustomTestStringConvertible {
        var name: String
        var pool: NodePool
        var machines: [Machine]
        var claims: [String] = []
        var releases: [String] = []
        var upgrades: [String] = []
        var testDescription: String { name }
    }

    static let free = [PoolDecisionTests.free("y"), PoolDecisionTests.free("z")]

    static let steps: [Step] = [
        Step(name: "nothing to do", pool: pool(2), machines: [node("a", new), node("b", new)] + free),
        Step(
            name: "one may be missing: one goes", pool: pool(3), machines: [node("a", old), node("b", old), node("c", old)] + free,
            releases: ["c"]),
        Step(
            name: "and another comes for it, while no second goes", pool: pool(3), machines: [node("a", old), node("b", old)] + free,
            claims: ["y"]),
        Step(
            name: "no other goes before it is ready", pool: pool(3),
            machines: [node("a", old), node("b", old), node("c", new, phase: .joining)] + free),
        Step(name: "then the next", pool: pool(3), machines: [node("a", old), node("b", old), node("c", new)] + free, releases: ["b"]),
        Step(name: "without a spare one the machine that goes is waited for", pool: pool(3), machines: [node("a", old), node("b", new)]),
        Step(
            name: "surge: a new one comes first", pool: pool(2, surge: 1, unavailable: 0),
            machines: [node("a", old), node("b", old)] + free, claims: ["y"]),
        Step(
            name: "surge: nothing goes until it is ready", pool: pool(2, surge: 1, unavailable: 0),
            machines: [node("a", old), node("b", old), node("c", new, phase: .joining)] + free),
        Step(
            name: "surge: then an old one goes", pool: pool(2, surge: 1, unavailable: 0),
            machines: [node("a", old), node("b", old), node("c", new)] + free, releases: ["b"]),
        Step(
            name: "surge: in the end there are as many as before", pool: pool(2, surge: 1, unavailable: 0),
            machines: [node("a", old), node("c", new), node("d", new)] + free, releases: ["a"]),
        Step(name: "surge alone, and no spare one", pool: pool(2, surge: 1, unavailable: 0), machines: [node("a", old), node("b", old)]),
        Step(
            name: "both", pool: pool(4, surge: 1, unavailable: 1),
            machines: [node("a", old), node("b", old), node("c", old), node("d", old)] + free, claims: ["y"], releases: ["d"]),
        Step(
            name: "what is not ready goes first, and costs nothing", pool: pool(3),
            machines: [node("a", old, isReady: false), node("b", old), node("c", old)] + free, releases: ["a"]),
        Step(
            name: "what is not ready goes, but not more than may be missing", pool: pool(3),
            machines: [node("a", old, isReady: false), node("b", old, isReady: false), node("c", old, isReady: false)], releases: ["c"]),
        Step(
            name: "a new one that is not well holds up the next", pool: pool(3),
            machines: [node("a", old), node("b", old), node("c", new, isReady: false)] + free),
        Step(
            name: "scaling down takes old ones while they are there", pool: pool(1, unavailable: 0 + 1),
            machines: [node("a", old, isReady: false), node("b", new), node("c", new)], releases: ["a", "c"]),
        Step(
            name: "scaling up makes new ones", pool: pool(4), machines: [node("a", old), node("b", old)] + free, claims: ["y", "z"]),
        Step(
            name: "all at once, where that may be", pool: pool(2, unavailable: 2), machines: [node("a", old), node("b", old)],
            releases: ["a", "b"]),
        // In place.
        Step(
            name: "in place: one at a time", pool: pool(3, type: "InPlace"),
            machines: [node("a", old), node("b", old), node("c", old)] + free,
            upgrades: ["c"]),
        Step(
            name: "in place: no other meanwhile", pool: pool(3, type: "InPlace"),
            machines: [node("a", old), node("b", old), upgrading("c", to: new)] + free),
        Step(
            name: "in place: two at a time", pool: pool(4, unavailable: 2, type: "InPlace"),
            machines: [node("a", old), node("b", old), node("c", old), upgrading("d", to: new)], upgrades: ["c"]),
        Step(
            name: "in place: one that never became a node goes", pool: pool(2, type: "InPlace"),
            machines: [node("a", old, phase: .joining), node("b", new)], releases: ["a"]),
        Step(
            name: "in place with surge: first one more", pool: pool(2, surge: 1, unavailable: 0, type: "InPlace"),
            machines: [node("a", old), node("b", old)] + free, claims: ["y"]),
        Step(
            name: "in place with surge: then one after the other", pool: pool(2, surge: 1, unavailable: 0, type: "InPlace"),
            machines: [node("a", old), node("b", old), node("c", new)] + free, upgrades: ["b"]),
        Step(
            name: "in place with surge: and in the end one goes", pool: pool(2, surge: 1, unavailable: 0, type: "InPlace"),
            machines: [node("a", new), node("b", new), node("c", new)] + free, releases: ["c"]),
        Step(
            name: "in place: what is on its way to another template is turned round", pool: pool(3, type: "InPlace"),
            machines: [node("a", new), node("b", new), upgrading("c", to: old)], upgrades: ["c"]),
    ]

    static func upgrading(_ name: String, to version: KubernetesVersion) -> Machine {
        var machine = node(name, version == old ? new : old)
        machine.status?.phase = .upgrading
        machine.status?.upgrade = MachineUpgrade(revision: revision(version), startedAt: Timestamp.format(now.addingTimeInterval(-60)))
        return machine
    }

    @Test(arguments: steps) func eachPass(step: Step) {
        let decision = Self.decide(step.pool, step.machines)
        #expect(decision.problem == nil)
        #expect(decision.claims.map(\.machine) == step.claims, "claims")
        #expect(decision.releases == step.releases, "releases")
        #expect(decision.rollout.upgrades == step.upgrades, "upgrades")
    }

    /// Whatever the numbers, it comes to its end, and never is a node too few or a Machine too many.
    @Test(arguments: ["Replace", "InPlace"]) func itEndsWithinItsBounds(type: String) {
        for replicas in 1...5 {
            for (surge, unavailable) in [(0, 1), (1, 0), (1, 1), (2, 0), (0, 5), (3, 2)] {
                for spares in [surge, 0] where spares > 0 || unavailable > 0 {
                    let pool = Self.pool(replicas, surge: surge, unavailable: unavailable, type: type)
                    var machines = (0..<replicas).map { Self.node("\(Character(UnicodeScalar(UInt8(97 + $0))))", Self.old) }
                    machines += (0..<spares).map { PoolDecisionTests.free("\(Character(UnicodeScalar(UInt8(117 + $0))))") }
                    var passes = 0
                    while passes < 100 {
                        let decision = Self.decide(pool, machines)
                        if decision.rollout.state == .complete, decision.releases.isEmpty, decision.claims.isEmpty { break }
                        Self.carryOut(decision, on: &machines)
                        let held = machines.filter { $0.isHeld(by: pool) }
                        #expect(held.count <= replicas + surge, "\(type) \(replicas)+\(surge)-\(unavailable)")
                        #expect(held.filter(\.isReadyNode).count >= replicas - unavailable, "\(type) \(replicas)+\(surge)-\(unavailable)")
                        Self.timeGoesBy(&machines)
                        passes += 1
                    }
                    let held = machines.filter { $0.isHeld(by: pool) }
                    #expect(passes < 100 && held.count == replicas, "\(type) \(replicas)+\(surge)-\(unavailable), \(spares) to spare")
                    #expect(held.allSatisfy { $0.status?.claim?.revision == Self.revision(Self.new) })
                }
            }
        }
    }

    private static func carryOut(_ decision: PoolDecision, on machines: inout [Machine]) {
        for index in machines.indices {
            let name = machines[index].name
            if decision.releases.contains(name) { machines[index] = PoolDecisionTests.free(name) }
            if decision.rollout.upgrades.contains(name) { machines[index] = upgrading(name, to: new) }
            if decision.claims.contains(where: { $0.machine == name }) { machines[index] = node(name, new, phase: .joining) }
        }
    }

    private static func timeGoesBy(_ machines: inout [Machine]) {
        for index in machines.indices where [.joining, .upgrading].contains(machines[index].status?.phase) {
            machines[index] = node(machines[index].name, new)
        }
    }

    // MARK: Stopping

    @Test func itStopsAtTheFirstMachineThatIsNotReadyInTime() {
        let pool = Self.pool(3)
        var late = Self.node("c", Self.new, phase: .joining)
        late.status?.message = "its services say: no"
        let machines = [Self.node("a", Self.old), Self.node("b", Self.old), late] + Self.free
        let before = Self.decide(pool, machines)
        #expect(before.rollout.state == .rolling)
        #expect(before.rollout.lookAgain == Self.now.addingTimeInterval(540))
        let after = Self.decide(pool, machines, at: Self.now.addingTimeInterval(541))
        #expect(after.rollout.state == .failed(machine: "c", why: "its node is not Ready after 10m0s: its services say: no"))
        #expect(after.releases.isEmpty && after.claims.isEmpty && after.blocked == nil)
    }

    @Test func aQuarantinedMachineStopsItAndTakesNoOtherWithIt() {
        var broken = Self.node("c", Self.new, phase: .quarantined)
        broken.status?.message = "the join failed at X: y"
        broken.status?.plan = PlanStatus(
            name: "Join", steps: [StepStatus(name: "X", state: .failed, finishedAt: Timestamp.format(Self.now.addingTimeInterval(-5)))])
        let machines = [Self.node("a", Self.old), Self.node("b", Self.old), broken] + Self.free
        var pool = Self.pool(3)
        let stopped = Self.decide(pool, machines)
        #expect(stopped.rollout.state == .failed(machine: "c", why: "the join failed at X: y"))
        #expect(stopped.claims.isEmpty && stopped.missing == 1)
        #expect(stopped.blocked == "the rollout stopped at Machine c: the join failed at X: y")
        // Somebody says: go on.
        pool.metadata.annotations = [NodePoolAnnotation.resumedAt: Timestamp.format(Self.now)]
        #expect(Self.decide(pool, machines).claims.map(\.machine) == ["y"])
        // A pool that rolls out nothing takes another one, as ever.
        let whole = [Self.node("a", Self.new), Self.node("b", Self.new), broken] + Self.free
        #expect(Self.decide(Self.pool(3), whole).claims.map(\.machine) == ["y"])
    }

    @Test func aConfigurationThatFailsStopsItAtOnceAndItsMachineGoesWhenItIsTakenBack() {
        var pool = Self.pool(2, surge: 1, unavailable: 0)
        pool.spec?.nodeConfiguration = NodeConfiguration(preJoinCommands: ["false"])
        var broken = Self.node("c", Self.new, phase: .joining)
        broken.status?.claim?.revision = Self.revision(Self.new, pool.spec?.nodeConfiguration)
        broken.status?.conditions = [
            Condition(
                type: "Installed", status: "False", reason: NodeConfigurationFailure.reason, message: "it failed at PreJoinCommand-1",
                lastTransitionTime: Timestamp.format(Self.now.addingTimeInterval(-5)))
        ]
        let machines = [Self.node("a", Self.new), Self.node("b", Self.new), broken] + Self.free
        let stopped = Self.decide(pool, machines)
        #expect(stopped.rollout.state == .failed(machine: "c", why: "it failed at PreJoinCommand-1"))
        #expect(stopped.releases.isEmpty && stopped.claims.isEmpty)
        pool.spec?.nodeConfiguration = nil
        let undone = Self.decide(pool, machines)
        #expect(undone.releases == ["c"] && undone.claims.isEmpty)
    }

    @Test func anUpgradeInPlaceThatFailedStopsItUntilItIsResumedOrTakenBack() {
        var pool = Self.pool(2, type: "InPlace")
        var failed = Self.node("b", Self.old)
        failed.status?.upgrade = MachineUpgrade(
            revision: Self.revision(Self.new), startedAt: Timestamp.format(Self.now), failure: "no kubelet",
            failedAt: Timestamp.format(Self.now.addingTimeInterval(-5)))
        let machines = [Self.node("a", Self.old), failed]
        #expect(Self.decide(pool, machines).rollout.state == .failed(machine: "b", why: "no kubelet"))
        #expect(Self.decide(pool, machines).rollout.upgrades.isEmpty)
        pool.metadata.annotations = [NodePoolAnnotation.resumedAt: Timestamp.format(Self.now)]
        #expect(Self.decide(pool, machines).rollout.upgrades == ["b"])
        pool.metadata.annotations = nil
        pool.spec?.version = Self.old
        #expect(Self.decide(pool, machines).rollout.state == .complete)
    }

    @Test func oneThatIsUpgradedInPlaceHasItsTimeFromTheDrainOn() {
        let pool = Self.pool(2, type: "InPlace")
        var machine = Self.upgrading("b", to: Self.new)
        let machines = { [Self.node("a", Self.old), machine] }
        #expect(Self.decide(pool, machines(), at: Self.now.addingTimeInterval(7200)).rollout.state == .rolling)
        machine.status?.upgrade?.drainedAt = Timestamp.format(Self.now)
        #expect(Self.decide(pool, machines(), at: Self.now.addingTimeInterval(599)).rollout.state == .rolling)
        #expect(
            Self.decide(pool, machines(), at: Self.now.addingTimeInterval(600)).rollout.state
                == .failed(machine: "b", why: "its node is not Ready after 10m0s"))
    }

    @Test func aPausedPoolLeavesOldNodesAndStillScales() {
        var pool = Self.pool(3)
        pool.spec?.upgrade?.paused = true
        let decision = Self.decide(pool, [Self.node("a", Self.old), Self.node("b", Self.old)] + Self.free)
        #expect(decision.rollout.state == .paused)
        #expect(decision.releases.isEmpty && decision.claims.map(\.machine) == ["y"])
        #expect(
            Self.decide(pool, [Self.node("a", Self.new), Self.node("b", Self.new), Self.node("c", Self.new)]).rollout.state == .complete)
    }

    @Test func aPoolThatStandsStillGivesBackWhatItNoLongerWants() {
        var pool = Self.pool(1, surge: 1, unavailable: 0)
        pool.spec?.upgrade?.paused = true
        #expect(Self.decide(pool, [Self.node("a", Self.old), Self.node("b", Self.old)]).releases == ["b"])
        // One that came for the rollout is not one too many.
        #expect(Self.decide(pool, [Self.node("a", Self.old), Self.node("b", Self.new)]).releases == [])
    }

    @Test func itIsNotOverWhileAnOldNodeIsDrained() {
        var leaving = Self.node("b", Self.old, phase: .draining)
        leaving.status?.claim?.released = true
        leaving.status?.facts = MachineFacts(kubeletVersion: Self.old.description)
        #expect(Self.decide(Self.pool(1), [Self.node("a", Self.new), leaving]).rollout.state == .rolling)
        leaving.status?.phase = .cleaning
        #expect(Self.decide(Self.pool(1), [Self.node("a", Self.new), leaving]).rollout.state == .complete)
        // One that goes because there are to be fewer is no part of a rollout.
        var surplus = leaving
        surplus.status?.phase = .draining
        surplus.status?.claim?.revision = Self.revision(Self.new)
        #expect(Self.decide(Self.pool(1), [Self.node("a", Self.new), surplus]).rollout.state == .complete)
    }

    @Test func withoutASpareOneItSaysSo() {
        let pool = Self.pool(2, surge: 1, unavailable: 0)
        let stuck = Self.decide(pool, [Self.node("a", Self.old), Self.node("b", Self.old)])
        #expect(stuck.rollout.isStuck && stuck.missing == 0)
        #expect(!Self.decide(pool, [Self.node("a", Self.old), Self.node("b", Self.old)] + Self.free).rollout.isStuck)
        #expect(!Self.decide(Self.pool(2, surge: 1), [Self.node("a", Self.old), Self.node("b", Self.old)]).rollout.isStuck)
    }

    // MARK: History

    @Test func historyKeepsTheLastTemplatesAndNumbersOnesThatComeBackAnew() {
        var history: [NodePoolRevision] = []
        for patch in [0, 1, 1, 2, 0, 3, 4, 5] {
            history = history.recording(NodeTemplate(version: KubernetesVersion(1, 20, patch), configuration: nil), now: Self.now)
        }
        #expect(history.map(\.number) == [3, 4, 5, 6, 7])
        #expect(history.map(\.version.patch) == [2, 0, 3, 4, 5])
        #expect(history.last?.revision == Self.revision(KubernetesVersion(1, 20, 5)))
    }
}
