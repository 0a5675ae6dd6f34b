import FoundationEssentials
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Login by OpenID Connect: by flags, or in the AuthenticationConfiguration of the versions that are given one, to the same effect.
enum OIDC {
    static let certificateAuthorityFile = "oidc-ca.crt"
    /// What an AuthenticationConfiguration takes (oidc.go, `AllValidSigningAlgorithms`); the flag's default is RS256 alone.
    private static let signatures = ["RS", "ES", "PS"].flatMap { kind in ["256", "384", "512"].map { kind + $0 } }

    static func arguments(_ settings: ClusterSettings) -> [String: String] {
        guard let oidc = byFlags(settings) else { return [:] }
        var arguments: [String: String] = [:]
        arguments["oidc-issuer-url"] = oidc.issuerURL
        arguments["oidc-client-id"] = oidc.clientID
        arguments["oidc-username-claim"] = oidc.usernameClaim ?? "sub"
        let prefix = oidc.effectiveUsernamePrefix
        // To the flag nothing is "-": an empty one stands for its default.
        arguments["oidc-username-prefix"] = prefix.isEmpty ? "-" : prefix
        arguments["oidc-groups-claim"] = oidc.groupsClaim
        arguments["oidc-groups-prefix"] = oidc.groupsPrefix
        if settings.template != .first { arguments["oidc-signing-algs"] = signatures.joined(separator: ",") }
        if oidc.certificateAuthority != nil {
            arguments["oidc-ca-file"] = "\(APIServer.configurationDirectory)/\(certificateAuthorityFile)"
        }
        return arguments
    }

    /// A flag for each claim.
    static func requiredClaimFlags(_ settings: ClusterSettings) -> [String] {
        (byFlags(settings)?.requiredClaims ?? [:]).sorted { $0.key < $1.key }.map { "--oidc-required-claim=\($0.key)=\($0.value)" }
    }

    static func certificateAuthorityForFlags(_ settings: ClusterSettings) -> String? { byFlags(settings)?.certificateAuthority }

    /// An entry of AuthenticationConfiguration's `jwt` (staging/src/k8s.io/apiserver/pkg/apis/apiserver/v1beta1/types.go).
    static func authenticator(_ settings: ClusterSettings) -> JSONValue? {
        guard let oidc = settings.spec.controlPlane?.oidc else { return nil }
        var issuer: JSONValue = ["url": .string(oidc.issuerURL ?? ""), "audiences": [.string(oidc.clientID ?? "")]]
        if let authority = oidc.certificateAuthority { issuer["certificateAuthority"] = .string(authority) }
        var mappings: JSONValue = [
            "username": ["claim": .string(oidc.usernameClaim ?? "sub"), "prefix": .string(oidc.effectiveUsernamePrefix)]
        ]
        if let claim = oidc.groupsClaim {
            mappings["groups"] = ["claim": .string(claim), "prefix": .string(oidc.groupsPrefix ?? "")]
        }
        var authenticator: JSONValue = ["issuer": issuer, "claimMappings": mappings]
        if let claims = oidc.requiredClaims, !claims.isEmpty {
            authenticator["claimValidationRules"] = .array(
                claims.sorted { $0.key < $1.key }.map { ["claim": .string($0.key), "requiredValue": .string($0.value)] })
        }
        return authenticator
    }

    /// Where kube-apiserver calls the issuer, by the spec or by flags of the author's own; nil where there is none.
    static func port(_ settings: ClusterSettings) -> Int? {
        let controlPlane = settings.spec.controlPlane
        guard let url = controlPlane?.oidc?.issuerURL ?? controlPlane?.extraArguments?.apiServer?["oidc-issuer-url"] else { return nil }
        return URL(string: url).map { $0.port ?? 443 }
    }

    private static func byFlags(_ settings: ClusterSettings) -> OIDCSpec? {
        settings.version.authenticationConfigurationAPIVersion == nil ? settings.spec.controlPlane?.oidc : nil
    }
}
