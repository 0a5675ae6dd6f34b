import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// What is there now, to be judged before anything is touched.
    func namespaceState(of cluster: HostedCluster) async throws -> NamespaceState {
        let name = cluster.controlPlaneNamespace
        return NamespaceState(
            try await client.find(Namespace.self, ObjectKey(name: name)), name: name, clusterUID: cluster.metadata.uid ?? "",
            isBootstrapped: cluster.status?.isBootstrapped == true)
    }

    /// The namespace of the control plane, made for this cluster and never adopted, with the spec that it is built from on it.
    func ensureNamespace(_ cluster: HostedCluster, present: Namespace?, _ report: inout ClusterReport) async throws {
        let settings = try ClusterSettings(cluster)
        let name = settings.controlPlaneNamespace
        let spec = try AcceptedSpec.text(of: cluster)
        if present == nil {
            // Made with its mark, so that it is known as this cluster's whatever happens next.
            _ = try await client.create(
                Namespace(metadata: ObjectMeta(name: name, labels: settings.labels, annotations: [AcceptedSpec.annotation: spec])))
        }
        report.update {
            $0.controlPlaneNamespace = name
            $0.release = settings.release
            // Also what is taken at once: a new cluster's, and the way back.
            $0.follow(settings.pinned, at: Timestamp.format(Date()))
        }
        try await furnish(settings)
        guard let present, present.metadata.annotations?[AcceptedSpec.annotation] != spec else { return }
        // Before the new spec is kept as the one that is built: an operator that dies in between does it again.
        for object in ControlPlane.unwanted(settings) { try await client.remove(object) }
        applied.forget(scope: settings.uid)
        _ = try await client.patch(
            Namespace.self, name, merge: ["metadata": ["annotations": [AcceptedSpec.annotation: .string(spec)]]])
    }

    /// Gives the operator its rights in the namespace, which it has in no other, then closes the namespace off.
    private func furnish(_ settings: ClusterSettings) async throws {
        let access = OperatorAccess(controlPlaneNamespace: settings.controlPlaneNamespace, operatorNamespace: operatorNamespace)
        let binding = access.binding(labels: settings.labels)
        if try !applied.has([binding], scope: settings.uid) {
            try await applied.apply([binding], scope: settings.uid, with: client)
            try await access.waitUntilGranted(client)
        }
        try await applied.apply(ControlPlane.namespace(settings), scope: settings.uid, with: client)
    }
}

extension HostedCluster {
    var controlPlaneNamespace: String { status?.controlPlaneNamespace ?? ControlPlaneNamespace.name(of: self) }
}

extension HostedClusterStatus {
    /// Whether the control plane has served once: from then on, lost keys or data are never replaced by new ones.
    var isBootstrapped: Bool { etcdClusterID != nil }
}
