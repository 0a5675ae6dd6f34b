public struct DaemonSet: KubernetesObject {
    public static let resourceType = ResourceType(group: "apps", version: "v1", kind: "DaemonSet", resource: "daemonsets")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: DaemonSetSpec?
    public var status: DaemonSetStatus?

    public init(metadata: ObjectMeta, spec: DaemonSetSpec? = nil, status: DaemonSetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct DaemonSetSpec: Codable, Sendable, Equatable {
    public var selector: LabelSelector?
    public var template: PodTemplateSpec?
    public var updateStrategy: UpdateStrategy?
    public var minReadySeconds: Int?
    public var revisionHistoryLimit: Int?

    public init(
        selector: LabelSelector? = nil, template: PodTemplateSpec? = nil, updateStrategy: UpdateStrategy? = nil,
        minReadySeconds: Int? = nil, revisionHistoryLimit: Int? = nil
    ) {
        self.selector = selector
        self.template = template
        self.updateStrategy = updateStrategy
        self.minReadySeconds = minReadySeconds
        self.revisionHistoryLimit = revisionHistoryLimit
    }
}

public struct DaemonSetStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var currentNumberScheduled: Int?
    public var desiredNumberScheduled: Int?
    public var numberMisscheduled: Int?
    public var numberReady: Int?
    public var numberAvailable: Int?
    public var numberUnavailable: Int?
    public var updatedNumberScheduled: Int?
    public var conditions: [StatusCondition]?

    public init(
        observedGeneration: Int? = nil, currentNumberScheduled: Int? = nil, desiredNumberScheduled: Int? = nil,
        numberMisscheduled: Int? = nil, numberReady: Int? = nil, numberAvailable: Int? = nil, numberUnavailable: Int? = nil,
        updatedNumberScheduled: Int? = nil, conditions: [StatusCondition]? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.currentNumberScheduled = currentNumberScheduled
        self.desiredNumberScheduled = desiredNumberScheduled
        self.numberMisscheduled = numberMisscheduled
        self.numberReady = numberReady
        self.numberAvailable = numberAvailable
        self.numberUnavailable = numberUnavailable
        self.updatedNumberScheduled = updatedNumberScheduled
        self.conditions = conditions
    }
}
