public struct PriorityClass: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "scheduling.k8s.io", version: "v1", kind: "PriorityClass", resource: "priorityclasses", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var value: Int?
    public var globalDefault: Bool?
    public var description: String?
    public var preemptionPolicy: String?

    public init(
        metadata: ObjectMeta, value: Int? = nil, globalDefault: Bool? = nil, description: String? = nil,
        preemptionPolicy: String? = nil
    ) {
        self.metadata = metadata
        self.value = value
        self.globalDefault = globalDefault
        self.description = description
        self.preemptionPolicy = preemptionPolicy
    }
}
