import ControlPlane
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// What `manifests/` puts on a host cluster, taken away again: first what acts, then the kinds.
enum Installation {
    /// A tenant's cluster has a namespace of that name too, which holds what its nodes live by: only the host's is an operator's.
    static func refuseWhereNoOperatorIs(_ operatorNamespace: String, with client: KubernetesClient) async throws {
        guard let namespace = try await client.find(Namespace.self, operatorNamespace) else { return }
        guard namespace.metadata.labels?[NestboxLabel.operatorNamespace] == "true" else {
            throw CommandFailure(
                "namespace \(operatorNamespace) of this cluster is no operator's (it has no label \(NestboxLabel.operatorNamespace)=true): "
                    + "is this the host's kubeconfig, or a tenant's?")
        }
    }

    static func remove(operatorNamespace: String, with client: KubernetesClient) async throws {
        try await client.remove(Namespace.self, operatorNamespace)
        for name in ["nestbox-control-planes", "nestbox-machines"] {
            try await client.remove(ClusterRoleBinding.self, name)
            try await client.remove(ClusterRole.self, name)
        }
        // What opened namespaces to the operator, and the roles it had in them and in those it made.
        for binding in try await client.list(RoleBinding.self, labels: "app.kubernetes.io/part-of=nestbox").items {
            try await client.remove(RoleBinding.self, binding.name, namespace: binding.namespace)
        }
        for name in ["nestbox-control-plane-namespace", "nestbox-hosted-cluster-namespace"] {
            try await client.remove(ClusterRole.self, name)
        }
        try await client.remove(PriorityClass.self, Defaults.priorityClassName)
        for kind in [HostedCluster.resourceType, NodePool.resourceType, Machine.resourceType] {
            try await client.remove(CustomResourceDefinition.self, "\(kind)")
        }
    }
}

extension KubernetesClient {
    fileprivate func remove<T: KubernetesObject>(_ type: T.Type, _ name: String, namespace: String? = nil) async throws {
        do {
            try await delete(type, name, namespace: namespace)
            Terminal.say("deleted \(Rendering.name(type, name))")
        } catch let error as KubernetesError where error.isNotFound {}
    }
}
