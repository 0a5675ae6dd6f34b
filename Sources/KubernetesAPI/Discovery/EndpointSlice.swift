/// `discovery.k8s.io/v1`, served from Kubernetes 1.21 on.
public struct EndpointSlice: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", resource: "endpointslices")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var addressType: String?
    public var endpoints: [SliceEndpoint]?
    public var ports: [EndpointPort]?

    public init(
        metadata: ObjectMeta, addressType: String? = nil, endpoints: [SliceEndpoint]? = nil, ports: [EndpointPort]? = nil
    ) {
        self.metadata = metadata
        self.addressType = addressType
        self.endpoints = endpoints
        self.ports = ports
    }
}

/// `discovery.k8s.io/v1beta1`, the only one that Kubernetes 1.20 serves; gone from 1.25 on.
public struct EndpointSliceV1Beta1: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "discovery.k8s.io", version: "v1beta1", kind: "EndpointSlice", resource: "endpointslices")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var addressType: String?
    public var endpoints: [SliceEndpoint]?
    public var ports: [EndpointPort]?

    public init(
        metadata: ObjectMeta, addressType: String? = nil, endpoints: [SliceEndpoint]? = nil, ports: [EndpointPort]? = nil
    ) {
        self.metadata = metadata
        self.addressType = addressType
        self.endpoints = endpoints
        self.ports = ports
    }
}

public struct SliceEndpoint: Codable, Sendable, Equatable {
    public var addresses: [String]
    public var conditions: SliceEndpointConditions?
    public var hostname: String?
    public var nodeName: String?
    public var zone: String?
    public var targetRef: ObjectReference?
    /// v1beta1 alone.
    public var topology: [String: String]?

    public init(
        addresses: [String], conditions: SliceEndpointConditions? = nil, hostname: String? = nil, nodeName: String? = nil,
        zone: String? = nil, targetRef: ObjectReference? = nil, topology: [String: String]? = nil
    ) {
        self.addresses = addresses
        self.conditions = conditions
        self.hostname = hostname
        self.nodeName = nodeName
        self.zone = zone
        self.targetRef = targetRef
        self.topology = topology
    }
}

public struct SliceEndpointConditions: Codable, Sendable, Equatable {
    public var ready: Bool?
    public var serving: Bool?
    public var terminating: Bool?

    public init(ready: Bool? = nil, serving: Bool? = nil, terminating: Bool? = nil) {
        self.ready = ready
        self.serving = serving
        self.terminating = terminating
    }
}
