import KubernetesAPI

/// Which of kube-apiserver's connections go through the tunnel: all to the tenant's side, and none to etcd.
///
/// `controlplane` carries admission webhooks by URL and the audit webhook (options/audit.go, `newUntruncatedBackend`): a URL of the
/// tenant's must not be called from inside the host's network. An issuer of OIDC, which the provider sets, is called directly.
enum EgressSelector {
    static let fileName = "egress-selector.json"

    /// The same for all versions: `v1beta1` is served from 1.20 to 1.36, and `controlplane` is known since 1.20.
    static var configuration: String {
        let tunnel: JSONValue = [
            "proxyProtocol": "HTTPConnect", "transport": ["uds": ["udsName": .string(APIServer.tunnelSocket)]],
        ]
        let configuration: JSONValue = [
            "apiVersion": "apiserver.k8s.io/v1beta1", "kind": "EgressSelectorConfiguration",
            "egressSelections": [
                ["name": "cluster", "connection": tunnel], ["name": "controlplane", "connection": tunnel],
                ["name": "etcd", "connection": ["proxyProtocol": "Direct"]],
            ],
        ]
        return configuration.prettyText
    }
}
