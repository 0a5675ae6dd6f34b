public struct StorageClass: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "storage.k8s.io", version: "v1", kind: "StorageClass", resource: "storageclasses", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var provisioner: String?
    public var parameters: [String: String]?
    public var reclaimPolicy: String?
    public var mountOptions: [String]?
    public var allowVolumeExpansion: Bool?
    public var volumeBindingMode: String?

    public init(
        metadata: ObjectMeta, provisioner: String? = nil, parameters: [String: String]? = nil, reclaimPolicy: String? = nil,
        mountOptions: [String]? = nil, allowVolumeExpansion: Bool? = nil, volumeBindingMode: String? = nil
    ) {
        self.metadata = metadata
        self.provisioner = provisioner
        self.parameters = parameters
        self.reclaimPolicy = reclaimPolicy
        self.mountOptions = mountOptions
        self.allowVolumeExpansion = allowVolumeExpansion
        self.volumeBindingMode = volumeBindingMode
    }
}
