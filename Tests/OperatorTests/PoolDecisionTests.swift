import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

@Suite("PoolDecision")
struct PoolDecisionTests {
    static let cluster = cluster([condition("ValidConfiguration", true)])

    static func cluster(_ conditions: [Condition], generation: Int = 1) -> HostedCluster {
        HostedCluster(
            metadata: ObjectMeta(name: "demo", namespace: "tenants", uid: "cluster-1", generation: generation),
            spec: HostedClusterSpec(network: NetworkSpec(pods: "10.244.0.0/16")),
            status: HostedClusterStatus(conditions: conditions))
    }

    static func condition(_ type: String, _ isTrue: Bool, message: String = "") -> Condition {
        Condition(
            type: type, status: isTrue ? "True" : "False", reason: "Test", message: message, observedGeneration: 1,
            lastTransitionTime: "2026-01-01T00:00:00Z")
    }

    static func pool(replicas: Int, selector: LabelSelector? = nil) -> NodePool {
        NodePool(
            metadata: ObjectMeta(name: "workers", namespace: "tenants", uid: "pool-1"),
            spec: NodePoolSpec(clusterName: "demo", replicas: replicas, machineSelector: selector))
    }

    static func free(_ name: String, labels: [String: String]? = nil) -> Machine {
        Machine(metadata: ObjectMeta(name: name, labels: labels), spec: MachineSpec(), status: MachineStatus(phase: .available))
    }

    static func held(
        _ name: String, phase: MachinePhase = .ready, isReady: Bool = true, podCIDR: String, pool: String = "pool-1"
    ) -> Machine {
        Machine(
            metadata: ObjectMeta(name: name), spec: MachineSpec(),
            status: MachineStatus(
                phase: phase, conditions: [condition("NodeReady", isReady)],
                claim: MachineClaim(
                    namespace: "tenants", nodePool: "workers", nodePoolUID: pool, hostedCluster: "demo", hostedClusterUID: "cluster-1",
                    epoch: 1, podCIDR: podCIDR)))
    }

    @Test func claimsByNameAndHandsOutNetworks() {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 2), cluster: Self.cluster,
            machines: [Self.free("c"), Self.free("b"), Self.held("a", podCIDR: "10.244.0.0/24", pool: "another")])
        #expect(
            decision.claims == [
                .init(machine: "b", podCIDR: "10.244.1.0/24"), .init(machine: "c", podCIDR: "10.244.2.0/24"),
            ])
        #expect(decision.missing == 0)
    }

    @Test func saysHowManyMachinesAreMissing() {
        let decision = PoolDecision(pool: Self.pool(replicas: 3), cluster: Self.cluster, machines: [Self.free("a")])
        #expect(decision.claims.count == 1)
        #expect(decision.missing == 2)
    }

    @Test func releasesUnhealthyMachinesFirst() {
        let machines = [
            Self.held("a", phase: .joining, podCIDR: "10.244.0.0/24"), Self.held("b", podCIDR: "10.244.1.0/24"),
            Self.held("c", podCIDR: "10.244.2.0/24"),
        ]
        #expect(PoolDecision(pool: Self.pool(replicas: 2), cluster: Self.cluster, machines: machines).releases == ["a"])
        #expect(PoolDecision(pool: Self.pool(replicas: 1), cluster: Self.cluster, machines: machines).releases == ["a", "c"])
    }

    @Test func asksForPodsOnlyWhereAChoiceDependsOnThem() {
        var machines = [Self.held("a", podCIDR: "10.244.0.0/24"), Self.held("b", podCIDR: "10.244.1.0/24")]
        for index in machines.indices { machines[index].status?.facts = MachineFacts(kubeletVersion: "v1.20.2") }
        func decision(_ replicas: Int, pods: [String: Int]? = nil) -> PoolDecision {
            PoolDecision(pool: Self.pool(replicas: replicas), cluster: Self.cluster, machines: machines, pods: pods)
        }
        #expect(decision(1).wantsPodCounts)
        #expect(decision(1).releases == ["b"], "without an answer it shrinks all the same")
        #expect(!decision(0).wantsPodCounts, "all of them go")
        #expect(!decision(2).wantsPodCounts)
        let informed = decision(1, pods: ["a": 1, "b": 2])
        #expect(informed.releases == ["a"] && !informed.wantsPodCounts)
        #expect(informed.reasons == ["a": .scaledDown])
    }

    static func leaving(_ name: String, podCIDR: String, _ change: (inout Machine) -> Void = { _ in }) -> Machine {
        var machine = held(name, phase: .draining, podCIDR: podCIDR)
        machine.status?.facts = MachineFacts(kubeletVersion: "v1.20.2")
        machine.status?.claim?.released = true
        machine.status?.claim?.releasedFor = .scaledDown
        change(&machine)
        return machine
    }

    @Test func takesBackWhatIsStillDrainedBeforeItClaims() {
        let machines = [
            Self.held("a", podCIDR: "10.244.0.0/24"), Self.leaving("b", podCIDR: "10.244.1.0/24"),
            Self.leaving("c", podCIDR: "10.244.2.0/24") { $0.metadata.annotations = [MachineAnnotation.deletionCost: "-1"] },
            Self.free("d"),
        ]
        func decision(_ replicas: Int) -> PoolDecision {
            PoolDecision(pool: Self.pool(replicas: replicas), cluster: Self.cluster, machines: machines)
        }
        #expect(decision(1).takeBacks.isEmpty)
        #expect(decision(2).takeBacks == ["b"], "the one that would leave last is taken back first")
        #expect(decision(2).claims.isEmpty)
        #expect(decision(4).takeBacks == ["b", "c"])
        #expect(decision(4).claims == [.init(machine: "d", podCIDR: "10.244.3.0/24")])
        #expect(decision(5).missing == 1)
    }

    @Test(
        "What is not taken back",
        arguments: [
            ("handed over", { @Sendable machine in machine.status?.phase = .cleaning }),
            (
                "drained",
                { @Sendable machine in
                    var drained = condition("Draining", true)
                    drained.reason = DrainReport.drained
                    machine.status?.conditions?.append(drained)
                }
            ),
            ("deleted", { @Sendable machine in machine.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" }),
            ("another reason", { @Sendable machine in machine.status?.claim?.releasedFor = .machineDeleted }),
            ("no reason", { @Sendable machine in machine.status?.claim?.releasedFor = nil }),
            ("not Ready", { @Sendable machine in machine.status?.conditions = [condition("NodeReady", false)] }),
            ("never a node", { @Sendable machine in machine.status?.facts = nil }),
            ("unfit", { @Sendable machine in machine.status?.unfitFor = [Unfitness(hostedClusterUID: "cluster-1", message: "m")] }),
            ("another pool's", { @Sendable machine in machine.status?.claim?.nodePoolUID = "pool-2" }),
            ("quarantined", { @Sendable machine in machine.status?.phase = .quarantined }),
        ] as [(String, @Sendable (inout Machine) -> Void)])
    func notTakenBack(why: String, change: @Sendable (inout Machine) -> Void) {
        let machines = [Self.leaving("a", podCIDR: "10.244.0.0/24") { change(&$0) }, Self.free("b")]
        let decision = PoolDecision(pool: Self.pool(replicas: 1), cluster: Self.cluster, machines: machines)
        #expect(decision.takeBacks.isEmpty)
        #expect(decision.claims.map(\.machine) == ["b"])
    }

    @Test func anOutdatedMachineIsNotTakenBack() {
        var pool = Self.pool(replicas: 1)
        pool.spec?.version = KubernetesVersion(1, 20, 2)
        let leaving = Self.leaving("a", podCIDR: "10.244.0.0/24") { $0.status?.claim?.revision = "another" }
        let decision = PoolDecision(pool: pool, cluster: Self.cluster, machines: [leaving, Self.free("b")])
        #expect(decision.takeBacks.isEmpty && decision.claims.map(\.machine) == ["b"])
    }

    @Test func replacesQuarantinedMachines() {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 1), cluster: Self.cluster,
            machines: [Self.held("a", phase: .quarantined, podCIDR: "10.244.0.0/24"), Self.free("b")])
        #expect(decision.claims == [.init(machine: "b", podCIDR: "10.244.1.0/24")])
    }

    @Test func givesEverythingBackWhenTheClusterIsGone() {
        let machines = [Self.held("a", podCIDR: "10.244.0.0/24"), Self.free("b")]
        let decision = PoolDecision(pool: Self.pool(replicas: 2), cluster: nil, machines: machines)
        #expect(decision.releases == ["a"])
        #expect(decision.claims.isEmpty)
    }

    @Test(
        "Who may claim a machine",
        arguments: [
            (lastTenant: String?.none, reuse: ReusePolicy?.none, allowed: [String]?.none, may: true),
            ("tenants", nil, nil, true),
            ("others", nil, nil, false),
            ("others", .sameTenant, nil, false),
            ("others", .anyTenant, nil, true),
            ("others", .reimage, nil, false),
            (nil, .reimage, nil, true),
            (nil, nil, ["others"], false),
            (nil, nil, ["others", "tenants"], true),
        ])
    func reuse(lastTenant: String?, reuse: ReusePolicy?, allowed: [String]?, may: Bool) {
        var machine = Self.free("a")
        machine.status?.lastTenant = lastTenant
        machine.spec?.reuse = reuse
        machine.spec?.allowedNamespaces = allowed
        #expect(machine.mayBeClaimed(by: Self.pool(replicas: 1)) == may)
    }

    @Test func selectorsChooseAmongMachines() {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 2, selector: LabelSelector(matchLabels: ["gpu": "yes"])), cluster: Self.cluster,
            machines: [Self.free("a"), Self.free("b", labels: ["gpu": "yes"])])
        #expect(decision.claims.map(\.machine) == ["b"])
        #expect(decision.missing == 1)
    }

    @Test func saysWhenThePodNetworkIsFull() {
        var small = Self.cluster
        small.spec?.network?.pods = "10.244.0.0/24"
        var networks = PodNetworks(clusterCIDR: "10.244.0.0/24", taken: ["10.244.0.0/28"])
        #expect(networks.next() == "10.244.0.16/28")
        let taken = (0..<16).map { Self.held("h\($0)", podCIDR: "10.244.0.\($0 * 16)/28") }
        let decision = PoolDecision(pool: Self.pool(replicas: 17), cluster: small, machines: taken + [Self.free("z")])
        #expect(decision.claims.isEmpty)
        #expect(decision.blocked?.contains("no room") == true)
    }

    @Test func aNodeThatIsNotReadyAnyMoreLeavesFirst() {
        let machines = [Self.held("a", isReady: false, podCIDR: "10.244.0.0/24"), Self.held("b", podCIDR: "10.244.1.0/24")]
        #expect(PoolDecision(pool: Self.pool(replicas: 1), cluster: Self.cluster, machines: machines).releases == ["a"])
        #expect(machines.map(\.isReadyNode) == [false, true])
    }

    @Test(
        "A spec that was not accepted makes no nodes and takes none",
        arguments: [
            (conditions: [Condition](), generation: 1, why: "was not looked at yet"),
            ([condition("ValidConfiguration", true)], 2, "was not looked at yet"),
            ([condition("ValidConfiguration", false, message: "spec.network.pods: cannot be changed")], 1, "is refused: spec.network.pods"),
            (
                [condition("ValidConfiguration", true), condition("ReconciliationActive", false, message: "paused until 2030")], 1,
                "HostedCluster tenants/demo is paused until 2030"
            ),
        ])
    func unaccepted(conditions: [Condition], generation: Int, why: String) {
        let decision = PoolDecision(
            pool: Self.pool(replicas: 2), cluster: Self.cluster(conditions, generation: generation),
            machines: [Self.held("a", podCIDR: "10.244.0.0/24"), Self.free("b")])
        #expect(decision.claims.isEmpty)
        #expect(decision.releases.isEmpty)
        #expect(decision.missing == 1)
        #expect(decision.blocked?.contains(why) == true, "\(decision.blocked ?? "")")
    }

    @Test("Under another cluster's name nothing is claimed, and only what is deleted is given back", arguments: [true, false])
    func renamed(otherIsThere: Bool) {
        var leaving = Self.held("b", podCIDR: "10.244.1.0/24")
        leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
        let machines = [Self.held("a", podCIDR: "10.244.0.0/24"), leaving, Self.free("c")]
        var other = Self.cluster
        other.metadata.name = "other"
        other.metadata.uid = "cluster-2"
        for replicas in [0, 3] {
            var pool = Self.pool(replicas: replicas)
            pool.spec?.clusterName = "other"
            let decision = PoolDecision(pool: pool, cluster: otherIsThere ? other : nil, machines: machines)
            #expect(decision.claims.isEmpty)
            #expect(decision.releases == ["b"])
            #expect(decision.problem?.hasPrefix("spec.clusterName: ") == true, "\(decision.problem ?? "")")
            pool.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
            #expect(PoolDecision(pool: pool, cluster: otherIsThere ? other : nil, machines: machines).releases == ["a", "b"])
        }
    }

    @Test func anEmptyPoolOfAClusterDoesNotGoToAnother() {
        var pool = Self.pool(replicas: 1)
        pool.metadata.ownerReferences = [
            OwnerReference(apiVersion: "nestbox.dev/v1alpha1", kind: "HostedCluster", name: "other", uid: "cluster-2")
        ]
        let decision = PoolDecision(pool: pool, cluster: Self.cluster, machines: [Self.free("a")])
        #expect(decision.claims.isEmpty)
        #expect(decision.problem?.hasPrefix("spec.clusterName: ") == true)
    }

    @Test func anInvalidPoolClaimsNothingAndStillGivesBack() {
        var pool = Self.pool(replicas: 2)
        pool.spec?.drainTimeout = "soon"
        let machines = [Self.held("a", podCIDR: "10.244.0.0/24"), Self.free("b")]
        let decision = PoolDecision(pool: pool, cluster: Self.cluster, machines: machines)
        #expect(decision.claims.isEmpty)
        #expect(decision.problem?.hasPrefix("spec.drainTimeout: ") == true)
        var deleted = Self.cluster
        deleted.metadata.deletionTimestamp = "2026-01-01T00:00:00Z"
        #expect(PoolDecision(pool: pool, cluster: deleted, machines: machines).releases == ["a"])
        pool.spec?.replicas = 0
        #expect(PoolDecision(pool: pool, cluster: Self.cluster, machines: machines).releases == ["a"])
    }

    @Test func aMachineThatAClusterFoundUnfitIsLeftToOthers() {
        var unfit = Self.free("a")
        unfit.status?.unfitFor = [Unfitness(hostedClusterUID: "cluster-1", message: "its route clashes")]
        let decision = PoolDecision(pool: Self.pool(replicas: 1), cluster: Self.cluster, machines: [unfit, Self.free("b")])
        #expect(decision.claims.map(\.machine) == ["b"])
        #expect(decision.refusals == ["a": "its route clashes"])
        var other = Self.cluster
        other.metadata.uid = "cluster-2"
        #expect(PoolDecision(pool: Self.pool(replicas: 1), cluster: other, machines: [unfit]).claims.map(\.machine) == ["a"])
    }
}
