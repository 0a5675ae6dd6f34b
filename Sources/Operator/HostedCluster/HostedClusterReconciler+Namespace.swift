import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension HostedClusterReconciler {
    /// The namespace of the control plane: made for this cluster, never adopted. False while it is not this cluster's to use.
    func ensureNamespace(_ cluster: HostedCluster, _ report: inout ClusterReport) async throws -> Bool {
        let settings = try ClusterSettings(cluster)
        let name = settings.controlPlaneNamespace
        guard let present = try await client.find(Namespace.self, ObjectKey(name: name)) else {
            if cluster.status?.isBootstrapped == true {
                report.lost("its namespace \(name) is gone, and the keys and the data with it")
                return false
            }
            // Made with its mark, so that it is known as this cluster's whatever happens next.
            let annotations = [Self.acceptedSpec: try JSONValue(encoding: cluster.spec).text]
            _ = try await client.create(Namespace(metadata: ObjectMeta(name: name, labels: settings.labels, annotations: annotations)))
            report.update { $0.controlPlaneNamespace = name }
            try await furnish(settings)
            return true
        }
        guard present.metadata.labels?[NestboxLabel.clusterUID] == settings.uid else {
            report.set(
                "Progressing", false, reason: "NamespaceTaken",
                message: "the namespace \(name) is there and was not made for this cluster: delete it, or name the cluster otherwise")
            return false
        }
        if present.metadata.isBeingDeleted {
            if cluster.status?.isBootstrapped == true { report.lost("its namespace \(name) is being deleted") }
            return false
        }
        report.update { $0.controlPlaneNamespace = name }
        guard try await accept(cluster, namespace: present, &report) else { return false }
        try await furnish(settings)
        return true
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

    /// Holds the spec to the one that was accepted last, which is kept on the namespace: what may not change is refused before
    /// anything is touched.
    private func accept(_ cluster: HostedCluster, namespace: Namespace, _ report: inout ClusterReport) async throws -> Bool {
        let text = try JSONValue(encoding: cluster.spec).text
        let known = namespace.metadata.annotations?[Self.acceptedSpec]
        guard known != text else { return true }
        if let known, let spec = try? JSONDecoder().decode(HostedClusterSpec.self, from: Data(known.utf8)) {
            var accepted = cluster
            accepted.spec = spec
            let problems = cluster.validateUpdate(from: accepted)
            guard problems.isEmpty else {
                report.set("ValidConfiguration", false, reason: "Immutable", message: problems.map(\.description).joined(separator: "; "))
                return false
            }
        }
        _ = try await client.patch(
            Namespace.self, namespace.name, merge: ["metadata": ["annotations": [Self.acceptedSpec: .string(text)]]])
        return true
    }

    /// On the control-plane namespace: the spec, with defaults, that was accepted last.
    private static var acceptedSpec: String { "nestbox.dev/accepted-spec" }
}

extension JSONValue {
    init(encoding value: some Encodable) throws {
        self = try JSONDecoder().decode(JSONValue.self, from: try JSONEncoder().encode(value))
    }
}

extension HostedClusterStatus {
    /// Whether the control plane has served once: from then on, lost keys or data are never replaced by new ones.
    var isBootstrapped: Bool { etcdClusterID != nil }
}

extension ClusterReport {
    /// The control plane's data or keys are gone. Nothing is built over them.
    mutating func lost(_ what: String) {
        set(
            "Available", false, reason: "ControlPlaneLost",
            message: "the control plane is lost: \(what); restore it from a backup, or delete the cluster")
        set("ControlPlaneLost", true, reason: "ControlPlaneLost", message: what)
    }
}
