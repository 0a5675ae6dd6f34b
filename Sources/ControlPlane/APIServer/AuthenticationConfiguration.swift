import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Bounds anonymous requests to probes and, for `kubeadm join`, to cluster-info, on the versions that can say so; before, RBAC does.
/// It also says whose tokens are taken: with this file, kube-apiserver refuses the flags for that.
enum AuthenticationConfiguration {
    static let fileName = "authentication.json"

    /// One that the release before knows too, where it knows any: while a control plane is upgraded its replicas share the file, and one
    /// that is restarted then has to be able to read it.
    private static func apiVersion(_ settings: ClusterSettings) -> String? {
        let version = settings.version
        guard settings.template != .first else { return version.authenticationConfigurationAPIVersion }
        let before = KubernetesVersion(version.major, version.minor - 1, 0)
        return before.authenticationConfigurationAPIVersion ?? version.authenticationConfigurationAPIVersion
    }

    /// Nil where the version knows no such thing, and where the spec brings OIDC by flags, which excludes the file.
    static func render(_ settings: ClusterSettings) -> String? {
        let extra = settings.spec.controlPlane?.extraArguments?.apiServer ?? [:]
        guard let apiVersion = apiVersion(settings),
            !extra.keys.contains(where: { $0.hasPrefix("oidc-") || $0 == "authentication-config" || $0 == "anonymous-auth" })
        else { return nil }
        let paths = ["/livez", "/readyz", "/healthz", "/api/v1/namespaces/kube-public/configmaps/cluster-info"]
        var configuration: JSONValue = [
            "apiVersion": .string(apiVersion), "kind": "AuthenticationConfiguration",
            "anonymous": ["enabled": true, "conditions": .array(paths.map { ["path": .string($0)] })],
        ]
        if let issuer = OIDC.authenticator(settings) { configuration["jwt"] = [issuer] }
        return configuration.prettyText
    }
}
