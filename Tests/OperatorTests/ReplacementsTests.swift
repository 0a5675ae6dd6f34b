import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

/// What of a pool is replaced, within its limits.
@Suite("Replacements")
struct ReplacementsTests {
    enum State {
        case well, unwell, mending, lost, unreachable, leaving, cleaning, joining, stuck, quarantined
    }

    static func pool(_ settings: AutoRepairSpec = AutoRepairSpec(enabled: true), replicas: Int) -> NodePool {
        var pool = PoolDecisionTests.pool(replicas: replicas)
        pool.spec?.autoRepair = settings
        return pool
    }

    static func machine(_ index: Int, _ state: State) -> Machine {
        let name = "m\(index)"
        var machine = PoolDecisionTests.held(name, isReady: state == .well, podCIDR: "10.244.\(index).0/24")
        func repair(_ state: RepairState) -> RepairStatus {
            RepairStatus(state: state, since: "2026-01-01T00:00:\(30 - index)Z", attempts: 3, message: "dead")
        }
        switch state {
        case .well, .unwell: break
        case .mending: machine.status?.repair = repair(.mending)
        case .lost, .unreachable: machine.status?.repair = repair(.notMended)
        case .leaving, .cleaning:
            machine.status?.repair = repair(.notMended)
            machine.status?.phase = state == .leaving ? .draining : .cleaning
            machine.status?.claim?.released = true
            machine.status?.claim?.releasedFor = .notMended
        case .joining: machine.status?.phase = .joining
        case .stuck:
            machine.status?.phase = .joining
            machine.status?.conditions = [
                Condition(
                    type: "NodeReady", status: "False", reason: "NotReadyInTime", message: "", lastTransitionTime: "2026-01-01T00:00:00Z")
            ]
        case .quarantined: machine.status?.phase = .quarantined
        }
        if state == .unreachable { machine.status?.conditions?.append(PoolDecisionTests.condition("Reachable", false)) }
        return machine
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var states: [State]
        var replicas: Int?
        var spares = 1
        var settings = AutoRepairSpec(enabled: true)
        /// Indices of the machines.
        var replaced: [Int] = []
        var suspended: String?
        var claims: Int?
    }

    @Test(arguments: [
        Case(testDescription: "all well", states: [.well, .well]),
        Case(testDescription: "one is not given up yet", states: [.well, .well, .mending]),
        Case(testDescription: "one is given up", states: [.well, .well, .lost], replaced: [2]),
        Case(testDescription: "turned off", states: [.well, .well, .lost], settings: AutoRepairSpec(enabled: false)),
        Case(testDescription: "the only node", states: [.lost], replaced: [0]),
        Case(testDescription: "one of two", states: [.well, .lost], replaced: [1]),
        Case(testDescription: "both of two: the network", states: [.lost, .unwell], suspended: "TooManyUnhealthy"),
        Case(testDescription: "two of three: the network", states: [.well, .lost, .unwell], suspended: "TooManyUnhealthy"),
        Case(
            testDescription: "two of five, one at a time, first come first served", states: [.well, .well, .well, .lost, .lost], spares: 2,
            replaced: [4]),
        Case(
            testDescription: "two of five at once", states: [.well, .well, .well, .lost, .lost], spares: 2,
            settings: AutoRepairSpec(enabled: true, maxConcurrent: 2), replaced: [4, 3]),
        Case(testDescription: "three of five: the network", states: [.well, .well, .lost, .lost, .unwell], suspended: "TooManyUnhealthy"),
        Case(
            testDescription: "as many as the pool says", states: [.well, .well, .lost, .unwell, .unwell],
            settings: AutoRepairSpec(enabled: true, maxUnhealthy: 3), replaced: [2]),
        Case(
            testDescription: "none at all", states: [.well, .well, .lost], settings: AutoRepairSpec(enabled: true, maxUnhealthy: 0),
            suspended: "TooManyUnhealthy"),
        Case(
            testDescription: "all of them", states: [.lost, .unwell], settings: AutoRepairSpec(enabled: true, maxUnhealthy: "100%"),
            replaced: [0]),
        Case(testDescription: "one is on its way out", states: [.well, .well, .well, .well, .lost, .leaving], replicas: 5),
        Case(testDescription: "and being cleaned", states: [.well, .well, .well, .well, .lost, .cleaning], replicas: 5),
        Case(testDescription: "its successor is on its way in", states: [.well, .well, .well, .well, .lost, .joining]),
        Case(testDescription: "one that never comes holds up nothing", states: [.well, .well, .lost, .stuck], replaced: [2]),
        Case(testDescription: "a quarantined one neither", states: [.well, .well, .lost, .quarantined], replicas: 3, replaced: [2]),
        Case(
            testDescription: "no spare, but it answers: cleaned, it comes back", states: [.well, .well, .lost], spares: 0, replaced: [2],
            claims: 0),
        Case(
            testDescription: "no spare for one that does not", states: [.well, .well, .unreachable], spares: 0,
            suspended: "NoMachineAvailable"),
        Case(testDescription: "a spare for one that does not", states: [.well, .well, .unreachable], replaced: [2]),
        Case(testDescription: "a smaller pool gives the unwell one back as it is", states: [.well, .well, .lost], replicas: 2, claims: 0),
        Case(
            testDescription: "a bigger pool grows first, with what there is", states: [.well, .well, .lost], replicas: 4, spares: 2,
            replaced: [2],
            claims: 2),
    ])
    func decides(_ it: Case) {
        let held = it.states.enumerated().map { Self.machine($0.offset, $0.element) }
        let spares = (0..<it.spares).map { PoolDecisionTests.free("spare\($0)") }
        let replicas = it.replicas ?? it.states.count
        let decision = PoolDecision(
            pool: Self.pool(it.settings, replicas: replicas), cluster: PoolDecisionTests.cluster, machines: held + spares)
        #expect(decision.releases.filter { decision.reasons[$0] == .notMended } == it.replaced.map { "m\($0)" }.sorted())
        #expect(decision.replacements.machines == it.replaced.map { "m\($0)" })
        #expect(decision.replacements.suspension?.reason == it.suspended)
        #expect(decision.claims.count == it.claims ?? min(it.replaced.count, it.spares))
    }

    @Test func aClusterThatIsPausedOrDownLosesNothing() {
        let machines = [Self.machine(0, .well), Self.machine(1, .lost), PoolDecisionTests.free("spare")]
        let pool = Self.pool(replicas: 2)
        let down = PoolDecisionTests.cluster([
            PoolDecisionTests.condition("ValidConfiguration", true), PoolDecisionTests.condition("Available", false),
        ])
        let paused = PoolDecisionTests.cluster([
            PoolDecisionTests.condition("ValidConfiguration", true),
            PoolDecisionTests.condition("ReconciliationActive", false, message: "paused until 2030-01-01T00:00:00Z"),
        ])
        for cluster in [down, paused] {
            let decision = PoolDecision(pool: pool, cluster: cluster, machines: machines)
            #expect(decision.replacements.machines.isEmpty && decision.claims.isEmpty)
            #expect(decision.replacements.suspension?.reason == "ClusterTrouble")
        }
    }

    @Test func theConditionSaysWhatToMakeOfIt() throws {
        let machines = [Self.machine(0, .well), Self.machine(1, .unwell), Self.machine(2, .lost)]
        let decision = PoolDecision(pool: Self.pool(replicas: 3), cluster: PoolDecisionTests.cluster, machines: machines)
        #expect(
            decision.replacements.suspension?.message
                == "2 of 3 nodes are not Ready, and autoRepair.maxUnhealthy (40%) allows 1: likely it is the network, or the control plane, "
                + "that fails, and not the machines; nothing is replaced until fewer are")
    }

    @Test(arguments: [
        (IntOrString.string("40%"), 10, 4), ("40%", 3, 1), ("40%", 1, 1), ("40%", 0, 1), ("0%", 10, 0), ("100%", 7, 7), (3, 10, 3),
        ("3", 10, 3),
        ("101%", 1, nil), ("-1%", 1, nil), (-1, 1, nil), ("many", 1, nil), ("", 1, nil), ("%", 1, nil),
    ])
    func shares(of share: IntOrString, count: Int, expected: Int?) {
        #expect(share.share(of: count) == expected)
    }
}
