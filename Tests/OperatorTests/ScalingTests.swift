import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// Pools that grow and shrink, on a real API server.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct ScalingTests {
    private static let web = ["app": "web"]

    @Test func whatIsMissingIsCountedAndJoinsWhenItComes() async throws {
        try await PoolWorld.with { world in
            try await world.makePool(replicas: 3)
            #expect(try await world.poolSays("MachinesAvailable", "False").hasPrefix("3 of 3 replicas lack a Machine: none is registered"))
            try await world.addMachine("a")
            try await world.addMachine("b")
            try await world.phase("a", is: .claimed)
            try await world.phase("b", is: .claimed)
            _ = try await world.poolSays("MachinesAvailable", "False", containing: "1 of 3 replicas lack a Machine: of 2 Machines 2 are")
            try await world.client.updateMachineStatus("b") { machine in
                machine.status?.phase = .quarantined
                return true
            }
            _ = try await world.poolSays(
                "MachinesAvailable", "False", containing: "2 of 3 replicas lack a Machine: of 2 Machines 1 is Quarantined, 1 is this pool's"
            )
            try await world.addMachine("c")
            try await world.addMachine("d")
            try await world.phase("c", is: .claimed)
            try await world.phase("d", is: .claimed)
            _ = try await world.poolSays("MachinesAvailable", "True")
        }
    }

    @Test func aPoolGoesToNothingAndBackByTheFewestPods() async throws {
        try await PoolWorld.with { world in
            for name in ["a", "b", "c"] { try await world.addMachine(name) }
            try await world.makePool(replicas: 3)
            for name in ["a", "b", "c"] { try await world.join(name) }
            _ = try await world.poolSays("Ready", "True")
            for (index, node) in ["a", "b", "b", "c", "c"].enumerated() { try await world.addPod("pod-\(index)", on: node) }
            // One that a drain would not move counts for nothing.
            for index in 0..<5 { try await world.addPod("done-\(index)", on: "a", phase: "Succeeded") }

            try await world.scale(to: 2)
            try await world.draining("a", reason: "PodsEnding", containing: "pod default/pod-0")
            #expect(try await world.machine("a").status?.claim?.releasedFor == .scaledDown)
            let scale = try await world.client.subresource(
                .get, "scale", of: NodePool.self, PoolWorld.pool, namespace: PoolWorld.namespace, body: JSONValue?.none)
            #expect(scale["spec"]?["replicas"] == 2 && scale["status"]?["selector"] == "nestbox.dev/nodepool=workers")
            try await world.endPod("pod-0")
            try await world.phase("a", is: .cleaning)
            #expect(try await world.node("a") == nil)
            try await world.cleaned("a")

            // What an admin says is more than what is counted, and all at once is as good as one after the other.
            try await world.cluster.kubectl("annotate", "machine", "c", "nestbox.dev/deletion-cost=-1")
            try await world.scale(to: 1)
            try await world.phase("c", is: .draining)
            try await world.scale(to: 0)
            try await world.phase("b", is: .draining)
            for index in 1...4 {
                try await eventually("pod-\(index) to be asked to go") { try await world.isGoing("pod-\(index)") }
                try await world.endPod("pod-\(index)")
            }
            for name in ["b", "c"] { try await world.cleaned(name) }
            try await eventually("an empty pool") { try await world.pool().status?.replicas == 0 }

            try await world.scale(to: 2)
            for name in ["a", "b"] { try await world.join(name) }
            #expect(try await world.machine("a").status?.claim?.epoch == 2)
            _ = try await world.poolSays("Ready", "True")
            #expect(try await world.machine("c").status?.phase == .available)
        }
    }

    /// A pod must not be moved to a node that leaves too, and be moved again.
    @Test func nodesThatLeaveTogetherAreCordonedBeforeAnyPodMoves() async throws {
        try await PoolWorld.with { world in
            let names = (0..<6).map { "m\($0)" }
            for name in names { try await world.addMachine(name) }
            try await world.makePool(replicas: 6)
            for name in names {
                try await world.join(name)
                try await world.addPod("on-\(name)", on: name)
            }
            try await world.scale(to: 1)
            // m0 stays: of alike ones the last names go first.
            let leaving = names.dropFirst()
            try await eventually("a pod to be asked to go") {
                for name in leaving where try await world.isGoing("on-\(name)") { return true }
                return false
            }
            for name in leaving { #expect(try await world.node(name)?.spec?.unschedulable == true, "\(name)") }
            for name in leaving {
                try await eventually("the pod on \(name) to be asked to go") { try await world.isGoing("on-\(name)") }
            }
            #expect(try await !world.isGoing("on-m0"))
        }
    }

    @Test func aDrainIsCalledOffByScalingUpAgain() async throws {
        try await PoolWorld.with { world in
            for name in ["a", "b", "c"] { try await world.addMachine(name) }
            try await world.makePool(replicas: 2)
            for name in ["a", "b"] { try await world.join(name) }
            try await world.addPod("web", on: "a", labels: Self.web)
            try await world.addPod("other", on: "b", labels: Self.web)
            try await world.setBudget("web", for: Self.web, allowed: 0)
            // The tenant's own, which stays.
            _ = try await world.client.patch(Node.self, "a", merge: ["spec": ["unschedulable": true]])

            try await world.scale(to: 0)
            for name in ["a", "b"] {
                try await world.draining(name, reason: "EvictionRefused")
                #expect(try await world.node(name)?.spec?.unschedulable == true)
            }
            try await world.scale(to: 1)
            try await world.phase("a", is: .ready)
            try await world.scale(to: 2)
            try await world.phase("b", is: .ready)
            for name in ["a", "b"] {
                try await eventually("\(name) to be unmarked") {
                    try await world.node(name)?.metadata.annotations?[NodeDrain.leaving] == nil
                }
                let machine = try await world.machine(name)
                #expect(machine.status?.claim?.epoch == 1 && machine.status?.claim?.released == nil)
                #expect(machine.status?.claim?.releasedFor == nil)
                #expect(machine.status?.conditions?.named("Draining") == nil && machine.status?.message == nil)
            }
            #expect(try await world.node("a")?.spec?.unschedulable == true, "the tenant had cordoned it")
            #expect(try await world.node("b")?.spec?.unschedulable != true)
            #expect(try await world.machine("c").status?.phase == .available, "no other machine was claimed")
            for pod in ["web", "other"] { #expect(try await !world.isGoing(pod)) }
            _ = try await world.poolSays("Ready", "True")

            // Once it was handed over there is no way back.
            try await world.setBudget("web", for: Self.web, allowed: 1)
            try await world.scale(to: 1)
            try await eventually("a pod to be asked to go") { try await world.isGoing("other") }
            try await world.endPod("other")
            try await world.phase("b", is: .cleaning)
            try await world.scale(to: 2)
            try await world.phase("c", is: .claimed)
            #expect(try await world.machine("b").status?.phase == .cleaning)
        }
    }
}
