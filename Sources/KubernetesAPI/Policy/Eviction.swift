/// The body of a pod's `eviction` subresource, `policy/v1`: understood from Kubernetes 1.22 on.
public struct Eviction: KubernetesObject {
    public static let resourceType = ResourceType(group: "policy", version: "v1", kind: "Eviction", resource: "evictions")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var deleteOptions: DeleteOptions?

    public init(metadata: ObjectMeta, deleteOptions: DeleteOptions? = nil) {
        self.metadata = metadata
        self.deleteOptions = deleteOptions
    }
}

/// The same in `policy/v1beta1`: understood up to Kubernetes 1.24.
public struct EvictionV1Beta1: KubernetesObject {
    public static let resourceType = ResourceType(group: "policy", version: "v1beta1", kind: "Eviction", resource: "evictions")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var deleteOptions: DeleteOptions?

    public init(metadata: ObjectMeta, deleteOptions: DeleteOptions? = nil) {
        self.metadata = metadata
        self.deleteOptions = deleteOptions
    }
}
