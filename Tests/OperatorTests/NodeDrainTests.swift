import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestKubernetes
import Testing

@testable import Operator

/// Drains on a real API server, with the rights that the operator gives itself in a tenant.
@Suite(.integration, .serialized, .timeLimit(.minutes(10))) struct NodeDrainTests {
    private static let web = ["app": "web"]

    /// A pool of one node that leaves.
    private func withNode(
        drainTimeout: String = "0s", _ body: @escaping @Sendable (PoolWorld) async throws -> Void
    ) async throws {
        try await PoolWorld.with { world in
            try await world.addMachine("a")
            try await world.makePool(replicas: 1, drainTimeout: drainTimeout)
            try await world.join("a")
            try await body(world)
        }
    }

    @Test func whatBlocksItIsSaidOnceAndEachKindOfPodHasItsWay() async throws {
        try await withNode { world in
            try await world.setBudget("web", for: Self.web, allowed: 0)
            try await world.addPod("web", on: "a", labels: Self.web)
            try await world.addPod("unmanaged", on: "a")
            try await world.addPod("scratch", on: "a") { pod in
                pod.spec?.volumes = [Volume(name: "v", emptyDir: EmptyDirVolumeSource())]
            }
            try await world.addPod("slow", on: "a", gracePeriod: 3600)
            try await world.addPod("done", on: "a", phase: "Succeeded")
            try await world.addPod("daemon", on: "a") { pod in
                pod.metadata.ownerReferences = [
                    OwnerReference(apiVersion: "apps/v1", kind: "DaemonSet", name: "d", uid: "d", controller: true)
                ]
                pod.spec?.volumes = [
                    Volume(name: "v", persistentVolumeClaim: PersistentVolumeClaimVolumeSource(claimName: "daemons"))
                ]
            }
            try await world.addPod("mirror", on: "a") { $0.metadata.annotations = ["kubernetes.io/config.mirror": "h"] }

            try await world.scale(to: 0)
            let words = "cannot be evicted: The disruption budget web needs 1 healthy pods and has 1 currently (pod default/web)"
            try await world.draining("a", reason: "EvictionRefused", containing: "\(words); waits for the end of 3 pods default/slow, ")
            for pod in ["unmanaged", "scratch", "slow"] { #expect(try await world.isGoing(pod), "\(pod)") }
            for pod in ["web", "done", "daemon", "mirror"] { #expect(try await !world.isGoing(pod), "\(pod)") }
            for pod in ["unmanaged", "scratch"] { try await world.endPod(pod) }
            try await world.draining("a", reason: "EvictionRefused", containing: "waits for the end of pod default/slow, until ")
            try await eventually("both events") { try await world.events("DrainBlocked", on: "a").contains { $0.contains("default/slow") } }
            #expect(try await world.events("DrainBlocked", on: "a").filter { $0 == words }.count == 1)

            // Asked again and refused again: nothing is written.
            let version = try await world.machine("a").metadata.resourceVersion
            let events = try await world.events("DrainBlocked", on: "a").count
            try await Task.sleep(for: DrainedNodes.pauseAfterRefusal * 1.5)
            #expect(try await world.machine("a").metadata.resourceVersion == version)
            #expect(try await world.events("DrainBlocked", on: "a").count == events)

            // The budget is lifted: it is asked again within the pause.
            try await world.setBudget("web", for: Self.web, allowed: 1)
            try await eventually("web to be asked to go") { try await world.isGoing("web") }
            try await world.attach("volume", to: "a")
            try await world.attach("daemons-volume", to: "a", claim: "daemons")
            for pod in ["web", "slow"] { try await world.endPod(pod) }
            try await world.draining("a", reason: "VolumesAttached", containing: "waits for volumes to be detached: volume")
            #expect(try await world.machine("a").status?.conditions?.named("Draining")?.message.contains("daemons-volume") == false)
            #expect(try await world.node("a") != nil)
            try await world.client.delete(VolumeAttachment.self, "volume")
            try await world.phase("a", is: .cleaning)
            #expect(try await world.node("a") == nil)
        }
    }

    @Test func aPodOfTheSameNameElsewhereIsNotEvicted() async throws {
        try await withNode { world in
            let pod = try await world.addPod("web-0", on: "a")
            try await world.endPod("web-0")
            let another = try await world.addPod("web-0", on: "elsewhere")
            let request = EvictionRequest(of: pod, server: world.hostedCluster.spec?.version)
            let error = await #expect(throws: KubernetesError.self) {
                _ = try await world.client.subresource(.post, "eviction", of: Pod.self, "web-0", namespace: "default", body: request)
            }
            #expect(error?.isConflict == true, "\(String(describing: error))")
            #expect(try await !world.isGoing("web-0"))
            let right = EvictionRequest(of: another, server: world.hostedCluster.spec?.version)
            _ = try await world.client.subresource(.post, "eviction", of: Pod.self, "web-0", namespace: "default", body: right)
            #expect(try await world.isGoing("web-0"))
        }
    }

    @Test func theTimeoutEndsItAndTheNodeStaysUntilItsPodsAreEnded() async throws {
        try await withNode(drainTimeout: "3s") { world in
            try await world.setBudget("web", for: Self.web, allowed: 0)
            try await world.addPod("web", on: "a", labels: Self.web)
            try await world.scale(to: 0)
            try await world.phase("a", is: .cleaning)
            let told = try #require(try await world.events("DrainGivenUp", on: "a").first)
            #expect(told.contains("drainTimeout is over") && told.contains("The disruption budget web needs 1"))
            #expect(try await world.client.nodeRecord("a") == nil, "its certificate is worth nothing any more")
            try await world.cleaning("a", ended: false)
            #expect(try await world.node("a")?.spec?.unschedulable == true, "the pod may run still")
            try await world.cleaning("a", ended: true)
            try await eventually("the Node to be removed") { try await world.node("a") == nil }
        }
    }

    @Test func aSilentNodeIsNotWaitedForAndStaysUntilItsMachineIsFree() async throws {
        try await withNode { world in
            try await world.addPod("web", on: "a")
            try await world.setReady("a", false, since: Date().addingTimeInterval(-20))
            try await world.scale(to: 0)
            try await eventually("web to be asked to go") { try await world.isGoing("web") }
            try await world.draining("a", reason: "PodsEnding")
            // Its kubelet would have to end the pod. After five minutes nobody waits for that.
            try await world.setReady("a", false, since: Date().addingTimeInterval(-400))
            try await world.phase("a", is: .cleaning)
            #expect(try await world.events("DrainGivenUp", on: "a").first?.contains("not Ready") == true)
            #expect(try await world.node("a") != nil)
            // An operator that did not see the step that ended the pods sees that the machine is nobody's.
            try await world.cleaned("a")
            try await eventually("the Node to be removed") { try await world.node("a") == nil }
        }
    }

    @Test func whoVouchesThatAMachineIsOffHasItsNodeRemoved() async throws {
        try await withNode { world in
            try await world.addPod("web", on: "a")
            try await world.setReady("a", false, since: Date())
            try await world.scale(to: 0)
            try await world.phase("a", is: .draining)
            try await world.cluster.kubectl("annotate", "machine", "a", "nestbox.dev/powered-off=7")
            try await world.draining("a", reason: "PodsEnding")
            #expect(try await world.machine("a").status?.phase == .draining, "that was another claim's")
            try await world.cluster.kubectl("annotate", "machine", "a", "nestbox.dev/powered-off=1", "--overwrite")
            try await world.phase("a", is: .cleaning)
            #expect(try await world.node("a") == nil)
        }
    }

    @Test func whatADeadMachineRanIsNotStartedTwice() async throws {
        try await withNode { world in
            try await world.addPod("web", on: "a")
            try await world.setReady("a", false, since: Date().addingTimeInterval(-400))
            try await world.scale(to: 0)
            try await world.phase("a", is: .cleaning)
            try await world.client.updateMachineStatus("a") { machine in
                machine.status?.phase = .quarantined
                return true
            }
            let uid = try #require(try await world.node("a")?.metadata.uid)
            // A pass over it, as of any change: the Node stays as it is.
            try await world.cluster.kubectl("annotate", "machine", "a", "example.com/looked-at=yes")
            try await Task.sleep(for: .seconds(1))
            #expect(try await world.node("a")?.metadata.uid == uid)
            // The admin gives it up.
            try await world.client.delete(Machine.self, "a")
            try await eventually("the Node to be removed") { try await world.node("a") == nil }
        }
    }
}

extension PoolWorld {
    /// As the controllers of a CSI driver would.
    func attach(_ volume: String, to node: String, claim: String? = nil) async throws {
        if let claim {
            _ = try await client.create(
                PersistentVolume(
                    metadata: ObjectMeta(name: volume),
                    spec: PersistentVolumeSpec(
                        capacity: ["storage": "1Gi"], accessModes: ["ReadWriteOnce"],
                        claimRef: ObjectReference(namespace: "default", name: claim), hostPath: HostPathVolumeSource(path: "/v"))))
        }
        _ = try await client.create(
            VolumeAttachment(
                metadata: ObjectMeta(name: volume),
                spec: VolumeAttachmentSpec(
                    attacher: "example.com", nodeName: node, source: VolumeAttachmentSource(persistentVolumeName: volume))))
    }
}
