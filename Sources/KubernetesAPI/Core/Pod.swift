public struct Pod: KubernetesObject {
    public static let resourceType = ResourceType(kind: "Pod", resource: "pods")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: PodSpec?
    public var status: PodStatus?

    public init(metadata: ObjectMeta, spec: PodSpec? = nil, status: PodStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct PodTemplateSpec: Codable, Sendable, Equatable {
    public var metadata: ObjectMeta?
    public var spec: PodSpec?

    public init(metadata: ObjectMeta? = nil, spec: PodSpec? = nil) {
        self.metadata = metadata
        self.spec = spec
    }
}

public struct PodSpec: Codable, Sendable, Equatable {
    public var containers: [Container]?
    public var initContainers: [Container]?
    public var volumes: [Volume]?
    public var restartPolicy: String?
    public var terminationGracePeriodSeconds: Int?
    public var activeDeadlineSeconds: Int?
    public var nodeName: String?
    public var nodeSelector: [String: String]?
    public var affinity: Affinity?
    public var tolerations: [Toleration]?
    public var topologySpreadConstraints: [TopologySpreadConstraint]?
    public var schedulerName: String?
    public var priorityClassName: String?
    public var priority: Int?
    public var preemptionPolicy: String?
    public var runtimeClassName: String?
    public var serviceAccountName: String?
    public var automountServiceAccountToken: Bool?
    public var enableServiceLinks: Bool?
    public var imagePullSecrets: [LocalObjectReference]?
    public var hostNetwork: Bool?
    public var hostPID: Bool?
    public var hostIPC: Bool?
    public var shareProcessNamespace: Bool?
    public var hostname: String?
    public var subdomain: String?
    public var hostAliases: [HostAlias]?
    public var dnsPolicy: String?
    public var dnsConfig: PodDNSConfig?
    public var securityContext: PodSecurityContext?
    public var readinessGates: [PodReadinessGate]?

    public init(
        containers: [Container]? = nil, initContainers: [Container]? = nil, volumes: [Volume]? = nil,
        restartPolicy: String? = nil, terminationGracePeriodSeconds: Int? = nil, activeDeadlineSeconds: Int? = nil,
        nodeName: String? = nil, nodeSelector: [String: String]? = nil, affinity: Affinity? = nil,
        tolerations: [Toleration]? = nil, topologySpreadConstraints: [TopologySpreadConstraint]? = nil,
        schedulerName: String? = nil, priorityClassName: String? = nil, priority: Int? = nil, preemptionPolicy: String? = nil,
        runtimeClassName: String? = nil, serviceAccountName: String? = nil, automountServiceAccountToken: Bool? = nil,
        enableServiceLinks: Bool? = nil, imagePullSecrets: [LocalObjectReference]? = nil, hostNetwork: Bool? = nil,
        hostPID: Bool? = nil, hostIPC: Bool? = nil, shareProcessNamespace: Bool? = nil, hostname: String? = nil,
        subdomain: String? = nil, hostAliases: [HostAlias]? = nil, dnsPolicy: String? = nil, dnsConfig: PodDNSConfig? = nil,
        securityContext: PodSecurityContext? = nil, readinessGates: [PodReadinessGate]? = nil
    ) {
        self.containers = containers
        self.initContainers = initContainers
        self.volumes = volumes
        self.restartPolicy = restartPolicy
        self.terminationGracePeriodSeconds = terminationGracePeriodSeconds
        self.activeDeadlineSeconds = activeDeadlineSeconds
        self.nodeName = nodeName
        self.nodeSelector = nodeSelector
        self.affinity = affinity
        self.tolerations = tolerations
        self.topologySpreadConstraints = topologySpreadConstraints
        self.schedulerName = schedulerName
        self.priorityClassName = priorityClassName
        self.priority = priority
        self.preemptionPolicy = preemptionPolicy
        self.runtimeClassName = runtimeClassName
        self.serviceAccountName = serviceAccountName
        self.automountServiceAccountToken = automountServiceAccountToken
        self.enableServiceLinks = enableServiceLinks
        self.imagePullSecrets = imagePullSecrets
        self.hostNetwork = hostNetwork
        self.hostPID = hostPID
        self.hostIPC = hostIPC
        self.shareProcessNamespace = shareProcessNamespace
        self.hostname = hostname
        self.subdomain = subdomain
        self.hostAliases = hostAliases
        self.dnsPolicy = dnsPolicy
        self.dnsConfig = dnsConfig
        self.securityContext = securityContext
        self.readinessGates = readinessGates
    }
}

public struct HostAlias: Codable, Sendable, Equatable {
    public var ip: String
    public var hostnames: [String]?

    public init(ip: String, hostnames: [String]? = nil) {
        self.ip = ip
        self.hostnames = hostnames
    }
}

public struct PodDNSConfig: Codable, Sendable, Equatable {
    public var nameservers: [String]?
    public var searches: [String]?
    public var options: [PodDNSConfigOption]?

    public init(nameservers: [String]? = nil, searches: [String]? = nil, options: [PodDNSConfigOption]? = nil) {
        self.nameservers = nameservers
        self.searches = searches
        self.options = options
    }
}

public struct PodDNSConfigOption: Codable, Sendable, Equatable {
    public var name: String?
    public var value: String?

    public init(name: String? = nil, value: String? = nil) {
        self.name = name
        self.value = value
    }
}

public struct PodReadinessGate: Codable, Sendable, Equatable {
    public var conditionType: String

    public init(conditionType: String) {
        self.conditionType = conditionType
    }
}
