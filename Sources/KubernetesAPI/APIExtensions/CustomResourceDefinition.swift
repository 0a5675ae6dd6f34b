public struct CustomResourceDefinition: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition", resource: "customresourcedefinitions",
        namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: JSONValue?
    public var status: CustomResourceDefinitionStatus?

    public init(metadata: ObjectMeta, spec: JSONValue? = nil, status: CustomResourceDefinitionStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct CustomResourceDefinitionStatus: Codable, Sendable, Equatable {
    public var conditions: [StatusCondition]?
    public var storedVersions: [String]?

    public init(conditions: [StatusCondition]? = nil, storedVersions: [String]? = nil) {
        self.conditions = conditions
        self.storedVersions = storedVersions
    }
}
