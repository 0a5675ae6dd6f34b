import ArtifactStore
import KubernetesVersions
import NestboxAPI

/// What a lab is made of, from the store.
struct LabArtifacts: Sendable {
    /// The host's own.
    var kubernetes: KubernetesArtifacts
    /// What tenants may run beside it.
    var tenants: [KubernetesArtifacts]
    var etcd: EtcdArtifacts
    var tools: NodeTools
    var pause: ImageArchive

    /// What the host runs for tenants, and its own sandboxes.
    var images: [ImageArchive] {
        let releases = [kubernetes] + tenants
        return [pause, etcd.image] + releases.flatMap(\.images).filter { !$0.reference.contains("/kube-proxy:") }
            + releases.compactMap(\.etcdImage)
    }

    /// Under which names the one etcd that is there has to be found: each Kubernetes version asks for its own, and no registry is.
    /// But for those names under which a release brought its own.
    var etcdReferences: Set<String> {
        Set(KubernetesVersion.supportedMinors.map { "\(Defaults.imageRegistry)/etcd:\(KubernetesVersion(1, $0, 0).etcdImageTag)" })
            .subtracting(([kubernetes] + tenants).compactMap(\.etcdImage?.reference))
    }

    static func bring(
        _ version: KubernetesVersion, tenants versions: [KubernetesVersion], from store: ArtifactStore, note: @escaping ArtifactProgress
    ) async throws -> LabArtifacts {
        // One after the other: each keeps both cores busy where it is not there yet.
        let tools = try await store.nodeTools(progress: note)
        let etcd = try await store.etcd(progress: note)
        let pause = try await store.pauseImage(progress: note)
        // For the nodes: the machines operator pushes it there, out of a store that it may only read.
        _ = try await store.busyboxImage(progress: note)
        let kubernetes = try await store.kubernetes(version, progress: note)
        var tenants: [KubernetesArtifacts] = []
        for version in versions { tenants.append(try await store.kubernetes(version, progress: note)) }
        return LabArtifacts(kubernetes: kubernetes, tenants: tenants, etcd: etcd, tools: tools, pause: pause)
    }
}
