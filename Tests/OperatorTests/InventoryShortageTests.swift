import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("InventoryShortage") struct InventoryShortageTests {
    private func message(_ machines: [Machine], selector: LabelSelector? = nil, refusals: [String: String] = [:]) -> String {
        InventoryShortage(
            missing: 2, replicas: 5, pool: PoolDecisionTests.pool(replicas: 5, selector: selector), machines: machines, refusals: refusals
        ).message
    }

    private func machine(_ name: String, _ change: (inout Machine) -> Void) -> Machine {
        var machine = PoolDecisionTests.free(name)
        change(&machine)
        return machine
    }

    @Test func anEmptyInventory() {
        #expect(
            message([])
                == "2 of 5 replicas lack a Machine: none is registered; one that comes free, or is registered by nestbox create machine, "
                + "is claimed at once")
    }

    @Test func eachObstacleIsCounted() {
        let machines = [
            PoolDecisionTests.held("a", podCIDR: ""), PoolDecisionTests.held("b", podCIDR: ""),
            PoolDecisionTests.held("c", podCIDR: "", pool: "another"),
            PoolDecisionTests.leaving("d", podCIDR: ""), machine("e") { $0.status?.phase = .cleaning },
            PoolDecisionTests.held("f", phase: .quarantined, podCIDR: ""),
            machine("g") { $0.status = nil },
            machine("h") { $0.status?.lastTenant = "others" },
            machine("i") { $0.spec?.allowedNamespaces = ["others"] },
            machine("j") { $0.metadata.deletionTimestamp = "2026-01-01T00:00:00Z" },
            PoolDecisionTests.free("k"),
        ]
        #expect(
            message(machines, refusals: ["k": "its address is in the pod network"]).hasPrefix(
                "2 of 5 replicas lack a Machine: of 11 Machines 1 is not for this namespace, 1 is being deleted, 1 is not registered yet, "
                    + "1 is Quarantined, 2 are this pool's already, 2 are being drained or cleaned, 1 is held by other pools, "
                    + "1 was another tenant's, which reuse forbids, 1 cannot be this cluster's node "
                    + "(Machine k cannot be claimed: its address is in the pod network); "))
    }

    @Test func whatTheSelectorDoesNotMatchIsNoMoreThanThat() {
        let selector = LabelSelector(matchLabels: ["gpu": "yes"])
        let machines = [PoolDecisionTests.free("a"), PoolDecisionTests.held("b", phase: .quarantined, podCIDR: "", pool: "another")]
        #expect(message(machines, selector: selector).contains("of 2 Machines 2 have labels that machineSelector does not match; "))
    }

    @Test func itStaysShort() {
        let names = (100..<600).map { "m\($0)" }
        let refusals = Dictionary(uniqueKeysWithValues: names.map { ($0, "it clashes") })
        let text = message(names.map { PoolDecisionTests.free($0) }, refusals: refusals)
        #expect(text.contains("500 cannot be this cluster's nodes"))
        #expect(text.contains("Machine m100 cannot be claimed: it clashes") && text.contains("(and 497 more)"))
        #expect(text.count < 600)
    }
}
