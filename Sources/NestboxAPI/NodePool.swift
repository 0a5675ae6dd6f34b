import KubernetesAPI
import KubernetesVersions

/// A number of a tenant's nodes that are alike, made of Machines the pool claims.
public struct NodePool: KubernetesObject {
    public static let resourceType = ResourceType(group: nestboxGroup, version: "v1alpha1", kind: "NodePool", resource: "nodepools")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: NodePoolSpec?
    public var status: NodePoolStatus?

    public init(metadata: ObjectMeta, spec: NodePoolSpec? = nil, status: NodePoolStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct NodePoolSpec: Codable, Sendable, Equatable {
    /// The HostedCluster, in the same namespace.
    public var clusterName: String?
    public var replicas: Int?
    /// The kubelets' version; the cluster's unless set.
    public var version: KubernetesVersion?
    public var upgrade: UpgradeSpec?
    /// How long a drain may take, as a Go duration; `0s` waits for ever.
    public var drainTimeout: String?
    public var labels: [String: String]?
    public var taints: [Taint]?
    public var autoRepair: AutoRepairSpec?
    /// Which Machines may be claimed; all that this namespace may claim unless set.
    public var machineSelector: LabelSelector?

    public init(
        clusterName: String? = nil, replicas: Int? = nil, version: KubernetesVersion? = nil, upgrade: UpgradeSpec? = nil,
        drainTimeout: String? = nil, labels: [String: String]? = nil, taints: [Taint]? = nil, autoRepair: AutoRepairSpec? = nil,
        machineSelector: LabelSelector? = nil
    ) {
        self.clusterName = clusterName
        self.replicas = replicas
        self.version = version
        self.upgrade = upgrade
        self.drainTimeout = drainTimeout
        self.labels = labels
        self.taints = taints
        self.autoRepair = autoRepair
        self.machineSelector = machineSelector
    }
}

public struct UpgradeSpec: Codable, Sendable, Equatable {
    /// `Replace` or `InPlace`.
    public var type: String?
    public var maxSurge: Int?
    public var maxUnavailable: Int?

    public init(type: String? = nil, maxSurge: Int? = nil, maxUnavailable: Int? = nil) {
        self.type = type
        self.maxSurge = maxSurge
        self.maxUnavailable = maxUnavailable
    }
}

public struct AutoRepairSpec: Codable, Sendable, Equatable {
    public var enabled: Bool?
    /// How long a node may be NotReady, as a Go duration.
    public var unhealthyTimeout: String?
    /// How many of the pool's machines may be under replacement at once.
    public var maxConcurrent: Int?
    /// How many of the pool's nodes, by number or percentage, may be unhealthy; when more are, nothing is replaced.
    public var maxUnhealthy: IntOrString?

    public init(
        enabled: Bool? = nil, unhealthyTimeout: String? = nil, maxConcurrent: Int? = nil, maxUnhealthy: IntOrString? = nil
    ) {
        self.enabled = enabled
        self.unhealthyTimeout = unhealthyTimeout
        self.maxConcurrent = maxConcurrent
        self.maxUnhealthy = maxUnhealthy
    }
}

public struct NodePoolStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var conditions: [Condition]?
    /// Machines claimed, whatever their phase.
    public var replicas: Int?
    public var readyReplicas: Int?
    public var updatedReplicas: Int?
    /// The label selector of this pool's nodes, for autoscalers.
    public var selector: String?
    /// Ready and other nodes by kubelet version.
    public var versions: [String: Int]?

    public init(
        observedGeneration: Int? = nil, conditions: [Condition]? = nil, replicas: Int? = nil, readyReplicas: Int? = nil,
        updatedReplicas: Int? = nil, selector: String? = nil, versions: [String: Int]? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.conditions = conditions
        self.replicas = replicas
        self.readyReplicas = readyReplicas
        self.updatedReplicas = updatedReplicas
        self.selector = selector
        self.versions = versions
    }
}
