public struct StatefulSet: KubernetesObject {
    public static let resourceType = ResourceType(group: "apps", version: "v1", kind: "StatefulSet", resource: "statefulsets")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: StatefulSetSpec?
    public var status: StatefulSetStatus?

    public init(metadata: ObjectMeta, spec: StatefulSetSpec? = nil, status: StatefulSetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct StatefulSetSpec: Codable, Sendable, Equatable {
    public var replicas: Int?
    public var selector: LabelSelector?
    public var serviceName: String?
    public var template: PodTemplateSpec?
    public var volumeClaimTemplates: [PersistentVolumeClaim]?
    public var podManagementPolicy: String?
    public var updateStrategy: UpdateStrategy?
    public var revisionHistoryLimit: Int?
    public var minReadySeconds: Int?

    public init(
        replicas: Int? = nil, selector: LabelSelector? = nil, serviceName: String? = nil, template: PodTemplateSpec? = nil,
        volumeClaimTemplates: [PersistentVolumeClaim]? = nil, podManagementPolicy: String? = nil,
        updateStrategy: UpdateStrategy? = nil, revisionHistoryLimit: Int? = nil, minReadySeconds: Int? = nil
    ) {
        self.replicas = replicas
        self.selector = selector
        self.serviceName = serviceName
        self.template = template
        self.volumeClaimTemplates = volumeClaimTemplates
        self.podManagementPolicy = podManagementPolicy
        self.updateStrategy = updateStrategy
        self.revisionHistoryLimit = revisionHistoryLimit
        self.minReadySeconds = minReadySeconds
    }
}

/// Of StatefulSets and of DaemonSets.
public struct UpdateStrategy: Codable, Sendable, Equatable {
    /// `OnDelete` or `RollingUpdate`.
    public var type: String?
    public var rollingUpdate: RollingUpdate?

    public init(type: String? = nil, rollingUpdate: RollingUpdate? = nil) {
        self.type = type
        self.rollingUpdate = rollingUpdate
    }
}

public struct StatefulSetStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var replicas: Int?
    public var readyReplicas: Int?
    public var currentReplicas: Int?
    public var updatedReplicas: Int?
    public var availableReplicas: Int?
    public var currentRevision: String?
    public var updateRevision: String?
    public var conditions: [StatusCondition]?

    public init(
        observedGeneration: Int? = nil, replicas: Int? = nil, readyReplicas: Int? = nil, currentReplicas: Int? = nil,
        updatedReplicas: Int? = nil, availableReplicas: Int? = nil, currentRevision: String? = nil, updateRevision: String? = nil,
        conditions: [StatusCondition]? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.replicas = replicas
        self.readyReplicas = readyReplicas
        self.currentReplicas = currentReplicas
        self.updatedReplicas = updatedReplicas
        self.availableReplicas = availableReplicas
        self.currentRevision = currentRevision
        self.updateRevision = updateRevision
        self.conditions = conditions
    }
}
