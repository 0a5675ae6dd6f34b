import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("One server is one Machine")
struct MachineTwinTests {
    static func machine(
        _ name: String, _ address: String, port: Int? = nil, id: String? = nil, created: String = "2026-01-01T00:00:00Z",
        phase: MachinePhase? = .available
    ) -> Machine {
        Machine(
            metadata: ObjectMeta(name: name, creationTimestamp: created), spec: MachineSpec(address: address, port: port),
            status: MachineStatus(phase: phase, facts: MachineFacts(machineID: id)))
    }

    @Test func theSameAddressAndPortIsTheSameServer() {
        let (first, second) = (Self.machine("a", "192.0.2.1"), Self.machine("b", "192.0.2.1", port: 22))
        #expect(
            second.clash(with: [first, second])
                == "192.0.2.1:22 is registered as Machine a already: one server is one Machine; delete one of the two")
        #expect(first.clash(with: [first, second]) == nil)
        // Behind another jump host it is another network's.
        var behind = Self.machine("b", "192.0.2.1")
        behind.spec?.jumpHost = JumpHostSpec(address: "bastion.example.com")
        #expect(behind.clash(with: [first]) == nil)
        // Ports of one address may lead to several machines.
        #expect(Self.machine("b", "192.0.2.1", port: 2222).clash(with: [first]) == nil)
    }

    @Test func theSameMachineIDIsTheSameServer() {
        let (first, second) = (Self.machine("a", "192.0.2.1", id: "0123"), Self.machine("b", "192.0.2.2", id: "0123"))
        #expect(second.clash(with: [first, second])?.contains("is Machine a already, or a copy of it") == true)
        // Unknown ones are not the same.
        #expect(Self.machine("b", "192.0.2.2").clash(with: [Self.machine("a", "192.0.2.1")]) == nil)
    }

    @Test func whoIsInUseWasFirst() {
        let older = Self.machine("a", "192.0.2.1", created: "2026-01-01T00:00:00Z", phase: nil)
        let registered = Self.machine("b", "192.0.2.1", created: "2026-01-02T00:00:00Z")
        #expect(older.clash(with: [older, registered]) != nil)
        #expect(registered.clash(with: [older, registered]) == nil)
    }

    @Test func aPoolClaimsNeitherTheSecondNameNorAnAddressOfTheCluster() {
        let machines = [
            Self.machine("a", "192.0.2.1", id: "0123"), Self.machine("b", "192.0.2.2", id: "0123"), Self.machine("c", "10.244.3.4"),
        ]
        let decision = PoolDecision(pool: PoolDecisionTests.pool(replicas: 3), cluster: PoolDecisionTests.cluster, machines: machines)
        #expect(decision.claims.map(\.machine) == ["a"])
        #expect(decision.missing == 2)
        #expect(decision.refusals.keys.sorted() == ["b", "c"])
        #expect(decision.refusals["c"]?.hasPrefix("spec.address: ") == true, "\(decision.refusals)")
    }
}
