import ArtifactStore
import KubernetesVersions
import NestboxAPI

/// What a lab is made of, from the store.
struct LabArtifacts: Sendable {
    var kubernetes: KubernetesArtifacts
    var etcd: EtcdArtifacts
    var tools: NodeTools
    var pause: ImageArchive

    /// What the host runs for tenants, and its own sandboxes.
    var images: [ImageArchive] {
        [pause, etcd.image] + kubernetes.images.filter { !$0.reference.contains("/kube-proxy:") }
    }

    /// Under which names the one etcd that is there has to be found: each Kubernetes version asks for its own, and no registry is.
    var etcdReferences: Set<String> {
        Set(KubernetesVersion.supportedMinors.map { "\(Defaults.imageRegistry)/etcd:\(KubernetesVersion(1, $0, 0).etcdImageTag)" })
    }

    static func bring(
        _ version: KubernetesVersion, from store: ArtifactStore, note: @escaping ArtifactProgress
    ) async throws -> LabArtifacts {
        // One after the other: each keeps both cores busy where it is not there yet.
        let tools = try await store.nodeTools(progress: note)
        let etcd = try await store.etcd(progress: note)
        let pause = try await store.pauseImage(progress: note)
        let kubernetes = try await store.kubernetes(version, progress: note)
        return LabArtifacts(kubernetes: kubernetes, etcd: etcd, tools: tools, pause: pause)
    }
}
