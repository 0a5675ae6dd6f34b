import KubernetesAPI
import KubernetesVersions

/// An eviction in the API version that the tenant's API server takes: `policy/v1` from 1.22 on, `policy/v1beta1` before 1.25.
struct EvictionRequest: Encodable, Sendable {
    var apiVersion: String
    var kind = "Eviction"
    var metadata: ObjectMeta
    var deleteOptions: DeleteOptions

    /// - Parameter server: the oldest API server's version that may answer.
    init(of pod: Pod, server: KubernetesVersion?) {
        apiVersion = server?.servesEvictionV1 == false ? "policy/v1beta1" : "policy/v1"
        metadata = ObjectMeta(name: pod.name, namespace: pod.namespace)
        // Of that very pod: a StatefulSet may have made one of its name elsewhere meanwhile.
        deleteOptions = DeleteOptions(preconditions: pod.metadata.uid.map { DeletePreconditions(uid: $0) })
    }
}
