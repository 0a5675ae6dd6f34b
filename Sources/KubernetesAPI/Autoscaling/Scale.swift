/// The body of a `scale` subresource.
public struct Scale: KubernetesObject {
    public static let resourceType = ResourceType(group: "autoscaling", version: "v1", kind: "Scale", resource: "scales")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: ScaleSpec?
    public var status: ScaleStatus?

    public init(metadata: ObjectMeta, spec: ScaleSpec? = nil, status: ScaleStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct ScaleSpec: Codable, Sendable, Equatable {
    public var replicas: Int?

    public init(replicas: Int? = nil) {
        self.replicas = replicas
    }
}

public struct ScaleStatus: Codable, Sendable, Equatable {
    public var replicas: Int?
    public var selector: String?

    public init(replicas: Int? = nil, selector: String? = nil) {
        self.replicas = replicas
        self.selector = selector
    }
}
