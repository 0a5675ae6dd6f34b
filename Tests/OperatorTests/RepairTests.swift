import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// Nodes that are unwell, on a real API server; the test is the machines operator, too.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct RepairTests {
    private static let names = ["a", "b", "c"]

    private func withNodes(spares: [String], _ body: @escaping @Sendable (PoolWorld) async throws -> Void) async throws {
        try await PoolWorld.with { world in
            for name in Self.names { try await world.addMachine(name) }
            try await world.makePool(replicas: 3)
            for name in Self.names { try await world.join(name) }
            for name in spares { try await world.addMachine(name) }
            try await world.set(repair: true)
            try await body(world)
        }
    }

    @Test func anUnwellNodeIsLookedAtMendedAndInTheEndReplaced() async throws {
        try await withNodes(spares: ["d"]) { world in
            try await world.addPod("db-0", on: "a")
            try await world.falls("a")
            #expect(try await world.machine("a").status?.conditions?.named("Repairing")?.reason == "NodeUnhealthy")
            #expect(try await world.events("NodeUnhealthy", on: "a").count == 1)

            // Its certificate has ended: a new token is made for it, as for a join.
            try await world.repair("a") {
                $0.attempts = 1
                $0.lastAttempt = Timestamp.format(Date())
                $0.needsTicket = true
                $0.message = "the kubelet's certificate ended"
            }
            try await eventually("a ticket") { try await world.ticket("a") != nil }
            try await world.setReady("a", true, since: Date())
            try await world.expect("a", "mended") { $0.status?.repair?.state == .mended && $0.isReadyNode }
            try await eventually("the ticket to be taken away") { try await world.ticket("a") == nil }
            #expect(try await world.events("Mended", on: "a").first?.contains("the kubelet's certificate ended") == true)

            // Unwell again so soon, it is the same illness.
            try await world.falls("a")
            #expect(try await world.machine("a").status?.repair?.attempts == 1)
            try await world.repair("a") {
                $0.state = .notMended
                $0.message = "dead"
            }
            try await world.phase("a", is: .cleaning)
            let machine = try await world.machine("a")
            #expect(machine.status?.claim?.releasedFor == .notMended)
            #expect(machine.status?.conditions?.named("Repairing")?.message == "its place was given to another Machine: dead")
            try await world.phase("d", is: .claimed)
            // Nobody knows yet whether its pod runs still.
            #expect(try await world.node("a")?.spec?.unschedulable == true)
            #expect(try await !world.isGoing("db-0"))
            #expect(try await world.client.nodeRecord("a") == nil)
            try await world.cleaning("a", ended: true)
            try await eventually("the Node to be removed") { try await world.node("a") == nil }
        }
    }

    @Test func nothingIsReplacedWhileMostAreUnwell() async throws {
        try await withNodes(spares: ["d", "e", "f"]) { world in
            for name in Self.names { try await world.falls(name) }
            for name in Self.names { try await world.repair(name) { $0.state = .notMended } }
            let said = try await world.poolSays("RepairSuspended", "True", containing: "3 of 3 nodes are not Ready")
            #expect(said.contains("likely it is the network"))
            for name in ["a", "b"] { try await world.setReady(name, true, since: Date()) }
            // The last one is no network failure any more.
            try await world.phase("c", is: .cleaning)
            try await world.phase("d", is: .claimed)
            _ = try await world.poolSays("RepairSuspended", "False")
            for name in ["a", "b"] {
                try await world.expect(name, "mended") { $0.status?.repair?.state == .mended && $0.status?.phase == .ready }
            }
            for name in ["e", "f"] { try await world.phase(name, is: .available) }
        }
    }

    @Test func turnedOffItIsSaidAndNoMore() async throws {
        try await withNodes(spares: ["d"]) { world in
            try await world.falls("a")
            try await world.set(repair: false)
            try await world.expect("a", "let be") { $0.status?.repair == nil }
            #expect(try await world.machine("a").status?.conditions?.named("NodeReady")?.reason == "NodeStatusUnknown")
            #expect(try await world.machine("a").status?.conditions?.named("Repairing")?.reason == "CalledOff")
            try await world.client.delete(Node.self, "a")
            try await world.expect("a", "without its Node") { $0.status?.conditions?.named("NodeReady")?.reason == "NodeGone" }
            #expect(try await world.machine("a").status?.phase == .ready)
            #expect(try await world.pool().status?.conditions?.named("RepairSuspended") == nil)
        }
    }
}

extension PoolWorld {
    fileprivate func set(repair isEnabled: Bool) async throws {
        try await cluster.kubectl(
            "patch", "nodepool", Self.pool, "-n", Self.namespace, "--type=merge", "-p",
            #"{"spec": {"autoRepair": {"enabled": \#(isEnabled), "unhealthyTimeout": "1m"}}}"#)
    }

    /// Its Node is unwell, and has been so for longer than the pool allows.
    fileprivate func falls(_ name: String) async throws {
        try await setReady(name, false, since: Date())
        try await expect(name, "unwell") { $0.status?.conditions?.named("NodeReady")?.reason == "NodeStatusUnknown" }
        try await client.updateMachineStatus(name) { machine in
            for index in machine.status?.conditions?.indices ?? 0..<0 where machine.status?.conditions?[index].type == "NodeReady" {
                machine.status?.conditions?[index].lastTransitionTime = Timestamp.format(Date().addingTimeInterval(-61))
            }
            return true
        }
        try await expect(name, "looked at") { $0.status?.repair?.state == .mending }
    }

    /// What the machines operator does.
    fileprivate func repair(_ name: String, _ change: (inout RepairStatus) -> Void) async throws {
        try await client.updateMachineStatus(name) { machine in
            guard var repair = machine.status?.repair else { return false }
            change(&repair)
            machine.status?.repair = repair
            return true
        }
    }

    fileprivate func ticket(_ name: String) async throws -> Secret? {
        try await client.find(Secret.self, JoinTicket.secretName(machine: name), namespace: NestboxName.systemNamespace)
    }
}
