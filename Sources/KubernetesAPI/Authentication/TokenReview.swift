public struct TokenReview: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "authentication.k8s.io", version: "v1", kind: "TokenReview", resource: "tokenreviews", namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: TokenReviewSpec?
    public var status: TokenReviewStatus?

    public init(metadata: ObjectMeta, spec: TokenReviewSpec? = nil, status: TokenReviewStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct TokenReviewSpec: Codable, Sendable, Equatable {
    public var token: String?
    public var audiences: [String]?

    public init(token: String? = nil, audiences: [String]? = nil) {
        self.token = token
        self.audiences = audiences
    }
}

public struct TokenReviewStatus: Codable, Sendable, Equatable {
    public var authenticated: Bool?
    public var user: UserInfo?
    public var audiences: [String]?
    public var error: String?

    public init(authenticated: Bool? = nil, user: UserInfo? = nil, audiences: [String]? = nil, error: String? = nil) {
        self.authenticated = authenticated
        self.user = user
        self.audiences = audiences
        self.error = error
    }
}

public struct UserInfo: Codable, Sendable, Equatable {
    public var username: String?
    public var uid: String?
    public var groups: [String]?
    public var extra: [String: [String]]?

    public init(username: String? = nil, uid: String? = nil, groups: [String]? = nil, extra: [String: [String]]? = nil) {
        self.username = username
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }
}
