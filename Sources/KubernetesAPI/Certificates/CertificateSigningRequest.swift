public struct CertificateSigningRequest: KubernetesObject {
    public static let resourceType = ResourceType(
        group: "certificates.k8s.io", version: "v1", kind: "CertificateSigningRequest", resource: "certificatesigningrequests",
        namespaced: false)

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: CertificateSigningRequestSpec?
    public var status: CertificateSigningRequestStatus?

    public init(
        metadata: ObjectMeta, spec: CertificateSigningRequestSpec? = nil, status: CertificateSigningRequestStatus? = nil
    ) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct CertificateSigningRequestSpec: Codable, Sendable, Equatable {
    /// The PKCS#10 request, PEM.
    public var request: Base64?
    public var signerName: String?
    public var expirationSeconds: Int?
    public var usages: [String]?
    public var username: String?
    public var uid: String?
    public var groups: [String]?
    public var extra: [String: [String]]?

    public init(
        request: Base64? = nil, signerName: String? = nil, expirationSeconds: Int? = nil, usages: [String]? = nil,
        username: String? = nil, uid: String? = nil, groups: [String]? = nil, extra: [String: [String]]? = nil
    ) {
        self.request = request
        self.signerName = signerName
        self.expirationSeconds = expirationSeconds
        self.usages = usages
        self.username = username
        self.uid = uid
        self.groups = groups
        self.extra = extra
    }
}

public struct CertificateSigningRequestStatus: Codable, Sendable, Equatable {
    public var conditions: [StatusCondition]?
    /// The issued chain, PEM.
    public var certificate: Base64?

    public init(conditions: [StatusCondition]? = nil, certificate: Base64? = nil) {
        self.conditions = conditions
        self.certificate = certificate
    }
}
