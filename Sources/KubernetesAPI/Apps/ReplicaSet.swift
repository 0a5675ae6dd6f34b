public struct ReplicaSet: KubernetesObject {
    public static let resourceType = ResourceType(group: "apps", version: "v1", kind: "ReplicaSet", resource: "replicasets")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: ReplicaSetSpec?
    public var status: ReplicaSetStatus?

    public init(metadata: ObjectMeta, spec: ReplicaSetSpec? = nil, status: ReplicaSetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct ReplicaSetSpec: Codable, Sendable, Equatable {
    public var replicas: Int?
    public var minReadySeconds: Int?
    public var selector: LabelSelector?
    public var template: PodTemplateSpec?

    public init(
        replicas: Int? = nil, minReadySeconds: Int? = nil, selector: LabelSelector? = nil, template: PodTemplateSpec? = nil
    ) {
        self.replicas = replicas
        self.minReadySeconds = minReadySeconds
        self.selector = selector
        self.template = template
    }
}

public struct ReplicaSetStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var replicas: Int?
    public var readyReplicas: Int?
    public var availableReplicas: Int?
    public var fullyLabeledReplicas: Int?
    public var conditions: [StatusCondition]?

    public init(
        observedGeneration: Int? = nil, replicas: Int? = nil, readyReplicas: Int? = nil, availableReplicas: Int? = nil,
        fullyLabeledReplicas: Int? = nil, conditions: [StatusCondition]? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.replicas = replicas
        self.readyReplicas = readyReplicas
        self.availableReplicas = availableReplicas
        self.fullyLabeledReplicas = fullyLabeledReplicas
        self.conditions = conditions
    }
}
