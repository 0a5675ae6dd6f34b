import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// What `manifests/` puts on a host cluster, taken away again: first what acts, then the kinds.
enum Installation {
    static func remove(operatorNamespace: String, with client: KubernetesClient) async throws {
        try await client.remove(Namespace.self, operatorNamespace)
        for role in ["nestbox-control-planes", "nestbox-machines"] {
            try await client.remove(ClusterRoleBinding.self, role)
            try await client.remove(ClusterRole.self, role)
        }
        try await client.remove(PriorityClass.self, Defaults.priorityClassName)
        for kind in [HostedCluster.resourceType, NodePool.resourceType, Machine.resourceType] {
            try await client.remove(CustomResourceDefinition.self, "\(kind)")
        }
    }
}

extension KubernetesClient {
    fileprivate func remove<T: KubernetesObject>(_ type: T.Type, _ name: String) async throws {
        do {
            try await delete(type, name)
            Terminal.say("deleted \(Rendering.name(type, name))")
        } catch let error as KubernetesError where error.isNotFound {}
    }
}
