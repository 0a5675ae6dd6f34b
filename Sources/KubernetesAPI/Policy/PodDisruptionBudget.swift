/// `policy/v1`, served from Kubernetes 1.21 on.
public struct PodDisruptionBudget: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "policy", version: "v1", kind: "PodDisruptionBudget", resource: "poddisruptionbudgets")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: PodDisruptionBudgetSpec?
    public var status: PodDisruptionBudgetStatus?

    public init(metadata: ObjectMeta, spec: PodDisruptionBudgetSpec? = nil, status: PodDisruptionBudgetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

/// `policy/v1beta1`, the only one that Kubernetes 1.20 serves; gone from 1.25 on.
public struct PodDisruptionBudgetV1Beta1: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "policy", version: "v1beta1", kind: "PodDisruptionBudget", resource: "poddisruptionbudgets")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: PodDisruptionBudgetSpec?
    public var status: PodDisruptionBudgetStatus?

    public init(metadata: ObjectMeta, spec: PodDisruptionBudgetSpec? = nil, status: PodDisruptionBudgetStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct PodDisruptionBudgetSpec: Codable, Sendable, Equatable {
    public var minAvailable: IntOrString?
    public var maxUnavailable: IntOrString?
    public var selector: LabelSelector?

    public init(minAvailable: IntOrString? = nil, maxUnavailable: IntOrString? = nil, selector: LabelSelector? = nil) {
        self.minAvailable = minAvailable
        self.maxUnavailable = maxUnavailable
        self.selector = selector
    }
}

public struct PodDisruptionBudgetStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var disruptionsAllowed: Int?
    public var currentHealthy: Int?
    public var desiredHealthy: Int?
    public var expectedPods: Int?

    public init(
        observedGeneration: Int? = nil, disruptionsAllowed: Int? = nil, currentHealthy: Int? = nil, desiredHealthy: Int? = nil,
        expectedPods: Int? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.disruptionsAllowed = disruptionsAllowed
        self.currentHealthy = currentHealthy
        self.desiredHealthy = desiredHealthy
        self.expectedPods = expectedPods
    }
}
