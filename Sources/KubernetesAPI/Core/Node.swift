public struct Node: KubernetesObject {
    public static let resourceType = ResourceType(kind: "Node", resource: "nodes", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: NodeSpec?
    public var status: NodeStatus?

    public init(metadata: ObjectMeta, spec: NodeSpec? = nil, status: NodeStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct NodeSpec: Codable, Sendable, Equatable {
    public var podCIDR: String?
    public var podCIDRs: [String]?
    public var providerID: String?
    public var unschedulable: Bool?
    public var taints: [Taint]?

    public init(
        podCIDR: String? = nil, podCIDRs: [String]? = nil, providerID: String? = nil, unschedulable: Bool? = nil,
        taints: [Taint]? = nil
    ) {
        self.podCIDR = podCIDR
        self.podCIDRs = podCIDRs
        self.providerID = providerID
        self.unschedulable = unschedulable
        self.taints = taints
    }
}

extension Node {
    /// Whether its kubelet says so, and is heard.
    public var isReady: Bool { status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } ?? false }
}

public struct NodeStatus: Codable, Sendable, Equatable {
    public var conditions: [StatusCondition]?
    public var addresses: [NodeAddress]?
    public var nodeInfo: NodeSystemInfo?
    public var capacity: [String: String]?
    public var allocatable: [String: String]?
    public var phase: String?
    public var daemonEndpoints: NodeDaemonEndpoints?

    public init(
        conditions: [StatusCondition]? = nil, addresses: [NodeAddress]? = nil, nodeInfo: NodeSystemInfo? = nil,
        capacity: [String: String]? = nil, allocatable: [String: String]? = nil, phase: String? = nil,
        daemonEndpoints: NodeDaemonEndpoints? = nil
    ) {
        self.conditions = conditions
        self.addresses = addresses
        self.nodeInfo = nodeInfo
        self.capacity = capacity
        self.allocatable = allocatable
        self.phase = phase
        self.daemonEndpoints = daemonEndpoints
    }
}

public struct NodeAddress: Codable, Sendable, Equatable {
    /// `InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS` or `ExternalDNS`.
    public var type: String
    public var address: String

    public init(type: String, address: String) {
        self.type = type
        self.address = address
    }
}

public struct NodeDaemonEndpoints: Codable, Sendable, Equatable {
    public var kubeletEndpoint: DaemonEndpoint?

    public init(kubeletEndpoint: DaemonEndpoint? = nil) {
        self.kubeletEndpoint = kubeletEndpoint
    }
}

public struct DaemonEndpoint: Codable, Sendable, Equatable {
    public var port: Int?

    public init(port: Int? = nil) {
        self.port = port
    }

    enum CodingKeys: String, CodingKey {
        case port = "Port"  // the API's own spelling
    }
}

public struct NodeSystemInfo: Codable, Sendable, Equatable {
    public var machineID: String?
    public var systemUUID: String?
    public var bootID: String?
    public var kernelVersion: String?
    public var osImage: String?
    public var operatingSystem: String?
    public var architecture: String?
    public var containerRuntimeVersion: String?
    public var kubeletVersion: String?
    public var kubeProxyVersion: String?

    public init(
        machineID: String? = nil, systemUUID: String? = nil, bootID: String? = nil, kernelVersion: String? = nil,
        osImage: String? = nil, operatingSystem: String? = nil, architecture: String? = nil,
        containerRuntimeVersion: String? = nil, kubeletVersion: String? = nil, kubeProxyVersion: String? = nil
    ) {
        self.machineID = machineID
        self.systemUUID = systemUUID
        self.bootID = bootID
        self.kernelVersion = kernelVersion
        self.osImage = osImage
        self.operatingSystem = operatingSystem
        self.architecture = architecture
        self.containerRuntimeVersion = containerRuntimeVersion
        self.kubeletVersion = kubeletVersion
        self.kubeProxyVersion = kubeProxyVersion
    }
}
