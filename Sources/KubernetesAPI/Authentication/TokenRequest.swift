/// The body of a ServiceAccount's `token` subresource.
public struct TokenRequest: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", resource: "tokenrequests")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: TokenRequestSpec?
    public var status: TokenRequestStatus?

    public init(metadata: ObjectMeta, spec: TokenRequestSpec? = nil, status: TokenRequestStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct TokenRequestSpec: Codable, Sendable, Equatable {
    public var audiences: [String]?
    public var expirationSeconds: Int?
    public var boundObjectRef: ObjectReference?

    public init(audiences: [String]? = nil, expirationSeconds: Int? = nil, boundObjectRef: ObjectReference? = nil) {
        self.audiences = audiences
        self.expirationSeconds = expirationSeconds
        self.boundObjectRef = boundObjectRef
    }
}

public struct TokenRequestStatus: Codable, Sendable, Equatable {
    public var token: String?
    public var expirationTimestamp: String?

    public init(token: String? = nil, expirationTimestamp: String? = nil) {
        self.token = token
        self.expirationTimestamp = expirationTimestamp
    }
}
