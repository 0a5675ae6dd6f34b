import KubernetesAPI
import Testing

@testable import Lab

@Suite("Local volumes")
struct VolumeActionTests {
    private func claim(
        _ name: String, storageClass: String? = "local", volume: String? = nil, deleting: Bool = false, selected: String? = nil
    ) -> PersistentVolumeClaim {
        PersistentVolumeClaim(
            metadata: ObjectMeta(
                name: name, namespace: "ns", annotations: selected.map { ["volume.kubernetes.io/selected-node": $0] }, uid: "u-\(name)",
                deletionTimestamp: deleting ? "2026-01-01T00:00:00Z" : nil),
            spec: PersistentVolumeClaimSpec(
                accessModes: ["ReadWriteOnce"], resources: ResourceRequirements(requests: ["storage": "8Gi"]), volumeName: volume,
                storageClassName: storageClass))
    }

    private func volume(_ name: String, phase: String, by provisioner: String = "nestbox.dev/lab", policy: String = "Delete")
        -> PersistentVolume
    {
        PersistentVolume(
            metadata: ObjectMeta(name: name, annotations: ["pv.kubernetes.io/provisioned-by": provisioner], uid: "v-\(name)"),
            spec: PersistentVolumeSpec(persistentVolumeReclaimPolicy: policy), status: PersistentVolumeStatus(phase: phase))
    }

    private func decide(
        _ claims: [PersistentVolumeClaim], _ volumes: [PersistentVolume] = [], node: String? = "node"
    ) -> [VolumeAction] {
        VolumeAction.decide(claims: claims, volumes: volumes, node: node, folder: "/volumes")
    }

    @Test func withSeveralNodesTheSchedulerChooses() throws {
        #expect(decide([claim("data")], node: nil) == [])
        guard case .provision(let volume)? = decide([claim("data", selected: "host-2")], node: nil).first else {
            Issue.record("nothing provisioned")
            return
        }
        #expect(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms.first?.matchExpressions?.first?.values == ["host-2"])
    }

    @Test func aClaimOfTheClassGetsAFolderOfTheNode() throws {
        guard case .provision(let volume)? = decide([claim("data")]).first else {
            Issue.record("nothing provisioned")
            return
        }
        #expect(volume.name == "pvc-u-data")
        #expect(volume.spec?.local?.path == "/volumes/pvc-u-data")
        #expect(volume.spec?.claimRef?.uid == "u-data")
        #expect(volume.spec?.capacity == ["storage": "8Gi"])
        #expect(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms.first?.matchExpressions?.first?.values == ["node"])
    }

    @Test func othersAreLeftAlone() {
        #expect(decide([claim("a", storageClass: "other"), claim("b", storageClass: nil)]) == [])
        #expect(decide([claim("bound", volume: "pvc-u-bound")]) == [])
        #expect(decide([claim("going", deleting: true)]) == [])
        #expect(decide([claim("made")], [volume("pvc-u-made", phase: "Available")]) == [])
    }

    @Test func releasedVolumesOfOursAreRemoved() {
        #expect(decide([], [volume("pvc-1", phase: "Released")]) == [.remove(volume: "pvc-1", uid: "v-pvc-1")])
        #expect(decide([], [volume("pvc-1", phase: "Bound")]) == [])
        #expect(decide([], [volume("pvc-1", phase: "Released", by: "other")]) == [])
        #expect(decide([], [volume("pvc-1", phase: "Released", policy: "Retain")]) == [])
    }
}
