import KubernetesAPI
import KubernetesVersions

/// An eviction in the API version that the tenant's API server takes: `policy/v1` from 1.22 on, `policy/v1beta1` before 1.25.
/// The kubelet is never newer than its API server, so that its version decides.
struct EvictionRequest: Encodable, Sendable {
    var apiVersion: String
    var kind = "Eviction"
    var metadata: ObjectMeta

    init(of pod: Pod, on node: Node) {
        let version = node.status?.nodeInfo?.kubeletVersion.flatMap { KubernetesVersion($0) }
        apiVersion = version?.servesEvictionV1 == false ? "policy/v1beta1" : "policy/v1"
        metadata = ObjectMeta(name: pod.name, namespace: pod.namespace)
    }
}
