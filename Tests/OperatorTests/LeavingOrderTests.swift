import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("LeavingOrder") struct LeavingOrderTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var machines: [Machine]
        var outdated: Set<String> = []
        var pods: [String: Int] = [:]
        /// By name, the one that goes first first.
        var expected: [String]
    }

    static func machine(
        _ name: String, phase: MachinePhase = .ready, isReady: Bool = true, isReachable: Bool? = nil, cost: String? = nil
    ) -> Machine {
        var machine = PoolDecisionTests.held(name, phase: phase, isReady: isReady, podCIDR: "")
        if let isReachable { machine.status?.conditions?.append(PoolDecisionTests.condition("Reachable", isReachable)) }
        if let cost { machine.metadata.annotations = ["nestbox.dev/deletion-cost": cost] }
        return machine
    }

    @Test(arguments: [
        Case(
            testDescription: "alike ones by name, from the end", machines: [machine("b"), machine("a"), machine("c")],
            expected: ["c", "b", "a"]),
        Case(
            testDescription: "the fewest pods first", machines: [machine("a"), machine("b"), machine("c")], pods: ["a": 2, "b": 0, "c": 3],
            expected: ["b", "a", "c"]),
        Case(
            testDescription: "an outdated one before one with fewer pods", machines: [machine("a"), machine("b")], outdated: ["a"],
            pods: ["a": 9], expected: ["a", "b"]),
        Case(
            testDescription: "one that is no node yet before an outdated one, and the less was done the sooner",
            machines: [machine("a"), machine("b", phase: .joining), machine("c", phase: .claimed)], outdated: ["a"],
            expected: ["c", "b", "a"]),
        Case(
            testDescription: "a node that is not Ready, or that nobody reaches, before one that joins",
            machines: [
                machine("a", phase: .claimed), machine("b", isReady: false), machine("c", isReachable: false),
                machine("d", isReachable: true),
            ], expected: ["c", "b", "a", "d"]),
        Case(
            testDescription: "the annotation before all else",
            machines: [machine("a", isReady: false, cost: "1"), machine("b"), machine("c", cost: "-5"), machine("d", cost: "10")],
            pods: ["c": 50], expected: ["c", "b", "a", "d"]),
        Case(
            testDescription: "an annotation that is no number is none",
            machines: [machine("a", cost: "low"), machine("b", cost: "0"), machine("c", cost: "-1")], expected: ["c", "b", "a"]),
    ])
    func sorts(_ it: Case) {
        let order = LeavingOrder(isOutdated: { it.outdated.contains($0.name) }, pods: it.pods)
        #expect(it.machines.sorted { order($0, $1) }.map(\.name) == it.expected)
        #expect(it.machines.reversed().sorted { order($0, $1) }.map(\.name) == it.expected, "whatever order they come in")
    }
}
