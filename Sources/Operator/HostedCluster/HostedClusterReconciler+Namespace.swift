import ControlPlane
import ControllerRuntime
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
            _ = try await client.create(Namespace(metadata: ObjectMeta(name: name, labels: settings.labels)))
            report.update { $0.controlPlaneNamespace = name }
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
        return true
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
