/// Login by OpenID Connect: whose tokens kube-apiserver takes, and who their bearers are to it.
public struct OIDCSpec: Codable, Sendable, Equatable {
    /// An https URL, the token's `iss`; kube-apiserver fetches its discovery document and keys, from the control plane's pods.
    public var issuerURL: String?
    /// What a token's `aud` must hold.
    public var clientID: String?
    /// `sub` unless set.
    public var usernameClaim: String?
    /// The issuer's URL and `#` unless set, and nothing for `email`; `-` for none.
    public var usernamePrefix: String?
    public var groupsClaim: String?
    public var groupsPrefix: String?
    /// Claims that a token must have, with these values.
    public var requiredClaims: [String: String]?
    /// Who signs the issuer's certificate, PEM; the authorities of kube-apiserver's image unless set.
    public var certificateAuthority: String?

    public init(
        issuerURL: String? = nil, clientID: String? = nil, usernameClaim: String? = nil, usernamePrefix: String? = nil,
        groupsClaim: String? = nil, groupsPrefix: String? = nil, requiredClaims: [String: String]? = nil,
        certificateAuthority: String? = nil
    ) {
        self.issuerURL = issuerURL
        self.clientID = clientID
        self.usernameClaim = usernameClaim
        self.usernamePrefix = usernamePrefix
        self.groupsClaim = groupsClaim
        self.groupsPrefix = groupsPrefix
        self.requiredClaims = requiredClaims
        self.certificateAuthority = certificateAuthority
    }
}

extension OIDCSpec {
    /// The prefix of user names as `--oidc-username-prefix` has it when it is left out: one issuer's names are nobody else's.
    public var effectiveUsernamePrefix: String {
        switch usernamePrefix {
        case "-": ""
        case let prefix?: prefix
        case nil: usernameClaim == "email" ? "" : "\(issuerURL ?? "")#"
        }
    }
}
