/// A condition of one of Kubernetes' own kinds, which leave out what Nestbox's own `Condition` always has.
public struct StatusCondition: Codable, Sendable, Equatable {
    public var type: String
    /// `True`, `False` or `Unknown`.
    public var status: String?
    public var reason: String?
    public var message: String?
    public var lastTransitionTime: String?
    /// Nodes' alone.
    public var lastHeartbeatTime: String?
    /// Of pods and of CertificateSigningRequests and Deployments.
    public var lastProbeTime: String?
    public var lastUpdateTime: String?

    public init(
        type: String, status: String? = nil, reason: String? = nil, message: String? = nil, lastTransitionTime: String? = nil,
        lastHeartbeatTime: String? = nil, lastProbeTime: String? = nil, lastUpdateTime: String? = nil
    ) {
        self.type = type
        self.status = status
        self.reason = reason
        self.message = message
        self.lastTransitionTime = lastTransitionTime
        self.lastHeartbeatTime = lastHeartbeatTime
        self.lastProbeTime = lastProbeTime
        self.lastUpdateTime = lastUpdateTime
    }
}
