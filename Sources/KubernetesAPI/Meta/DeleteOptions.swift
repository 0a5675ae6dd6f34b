public struct DeleteOptions: Codable, Sendable, Equatable {
    public var apiVersion: String?
    public var kind: String?
    public var gracePeriodSeconds: Int?
    /// `Orphan`, `Background` or `Foreground`.
    public var propagationPolicy: String?
    public var preconditions: DeletePreconditions?
    public var dryRun: [String]?

    public init(
        apiVersion: String? = nil, kind: String? = nil, gracePeriodSeconds: Int? = nil, propagationPolicy: String? = nil,
        preconditions: DeletePreconditions? = nil, dryRun: [String]? = nil
    ) {
        self.apiVersion = apiVersion
        self.kind = kind
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagationPolicy = propagationPolicy
        self.preconditions = preconditions
        self.dryRun = dryRun
    }
}

public struct DeletePreconditions: Codable, Sendable, Equatable {
    public var uid: String?
    public var resourceVersion: String?

    public init(uid: String? = nil, resourceVersion: String? = nil) {
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}
