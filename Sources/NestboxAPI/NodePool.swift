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
    public var nodeConfiguration: NodeConfiguration?

    public init(
        clusterName: String? = nil, replicas: Int? = nil, version: KubernetesVersion? = nil, upgrade: UpgradeSpec? = nil,
        drainTimeout: String? = nil, labels: [String: String]? = nil, taints: [Taint]? = nil, autoRepair: AutoRepairSpec? = nil,
        machineSelector: LabelSelector? = nil, nodeConfiguration: NodeConfiguration? = nil
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
        self.nodeConfiguration = nodeConfiguration
    }
}

public struct UpgradeSpec: Codable, Sendable, Equatable {
    /// `Replace` or `InPlace`.
    public var type: String?
    public var maxSurge: Int?
    public var maxUnavailable: Int?
    /// Whether nodes of an older template stay as they are; new ones are of the newest template all the same.
    public var paused: Bool?
    /// How long a node may take to become Ready, drain and cleaning not counted, as a Go duration; then the rollout stops.
    public var readyTimeout: String?

    public init(
        type: String? = nil, maxSurge: Int? = nil, maxUnavailable: Int? = nil, paused: Bool? = nil, readyTimeout: String? = nil
    ) {
        self.type = type
        self.maxSurge = maxSurge
        self.maxUnavailable = maxUnavailable
        self.paused = paused
        self.readyTimeout = readyTimeout
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
    /// Machines claimed that are to stay, whatever their phase.
    public var replicas: Int?
    public var readyReplicas: Int?
    /// Machines whose node is of the newest template, ready or not.
    public var updatedReplicas: Int?
    /// The label selector of this pool's nodes, for autoscalers.
    public var selector: String?
    /// Ready and other nodes by kubelet version.
    public var versions: [String: Int]?
    /// The node template that the spec asks for, as a hash of all that makes a node roll out.
    public var revision: String?
    /// The last templates, the newest last: what `nestbox rollout undo` goes back to.
    public var history: [NodePoolRevision]?
    /// Nodes on their way out, which are drained and count among no others (as a ReplicaSet has it, KEP-3973).
    public var terminatingReplicas: Int?

    public init(
        observedGeneration: Int? = nil, conditions: [Condition]? = nil, replicas: Int? = nil, readyReplicas: Int? = nil,
        updatedReplicas: Int? = nil, selector: String? = nil, versions: [String: Int]? = nil, revision: String? = nil,
        history: [NodePoolRevision]? = nil, terminatingReplicas: Int? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.conditions = conditions
        self.replicas = replicas
        self.readyReplicas = readyReplicas
        self.updatedReplicas = updatedReplicas
        self.selector = selector
        self.versions = versions
        self.revision = revision
        self.history = history
        self.terminatingReplicas = terminatingReplicas
    }
}

/// A node template that a pool had.
public struct NodePoolRevision: Codable, Sendable, Equatable {
    /// Counts up; a template that comes back is numbered anew.
    public var number: Int
    public var revision: String
    /// The kubelets', also where the spec named none.
    public var version: KubernetesVersion
    /// As in the spec.
    public var nodeConfiguration: [String: JSONValue]?
    /// RFC 3339: when the spec began to ask for it.
    public var createdAt: String

    public init(
        number: Int, revision: String, version: KubernetesVersion, nodeConfiguration: [String: JSONValue]? = nil, createdAt: String
    ) {
        self.number = number
        self.revision = revision
        self.version = version
        self.nodeConfiguration = nodeConfiguration
        self.createdAt = createdAt
    }
}

/// Annotations that people and the CLI set.
public enum NodePoolAnnotation {
    /// RFC 3339. Machines that failed to become Ready before this do not hold up the rollout: `nestbox rollout resume`.
    public static let resumedAt = "nestbox.dev/rollout-resumed-at"
}
