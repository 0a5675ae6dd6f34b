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
            let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/\(kind.resource).\(kind.group)"
            let answer = try await client.raw(.delete, path: path)
            guard (200..<300).contains(answer.status) || answer.status == 404 else {
                throw CommandFailure("cannot delete the kind \(kind): the host cluster answered \(answer.status)")
            }
        }
    }
}

extension KubernetesClient {
    fileprivate func remove<T: KubernetesObject>(_ type: T.Type, _ name: String) async throws {
        do {
            try await delete(type, name)
            Terminal.say("deleted \(T.resourceType)/\(name)")
        } catch let error as KubernetesError where error.isNotFound {}
    }
}
