extension ExtraArguments {
    /// Flags that Nestbox sets itself, or that would undo what it guarantees, by component.
    public static func isReserved(_ flag: String, of component: String) -> Bool {
        let exact = commonReserved.union(reserved[component] ?? [])
        return exact.contains(flag) || (reservedPrefixes[component] ?? []).contains { flag.hasPrefix($0) }
    }

    private static let commonReserved: Set<String> = [
        "bind-address", "secure-port", "client-ca-file", "cert-dir", "tls-cert-file", "tls-private-key-file", "profiling",
        "requestheader-allowed-names", "requestheader-client-ca-file", "requestheader-extra-headers-prefix",
        "requestheader-group-headers", "requestheader-username-headers", "kubeconfig", "authentication-kubeconfig",
        "authentication-skip-lookup", "authorization-kubeconfig", "leader-elect", "port", "address", "insecure-port",
        "insecure-bind-address", "config", "master",
    ]
    private static let reserved: [String: Set<String>] = [
        "kube-apiserver": [
            "advertise-address", "allow-privileged", "anonymous-auth", "authentication-config", "authorization-config",
            "authorization-mode", "egress-selector-config-file", "enable-aggregator-routing", "enable-bootstrap-token-auth",
            "endpoint-reconciler-type", "proxy-client-cert-file", "proxy-client-key-file", "service-account-issuer",
            "service-account-key-file", "service-account-signing-key-file", "service-cluster-ip-range", "shutdown-delay-duration",
            "token-auth-file", "basic-auth-file",
        ],
        "kube-controller-manager": [
            "allocate-node-cidrs", "cluster-cidr", "cluster-signing-cert-file", "cluster-signing-duration",
            "cluster-signing-key-file", "controllers", "root-ca-file", "service-account-private-key-file",
            "service-cluster-ip-range", "use-service-account-credentials", "experimental-cluster-signing-duration",
        ],
    ]
    private static let reservedPrefixes: [String: [String]] = [
        "kube-apiserver": ["etcd-", "kubelet-"],
        "kube-controller-manager": ["cluster-signing-"],
    ]
}

extension FieldErrors {
    mutating func checkExtraArguments(_ arguments: ExtraArguments?, at path: String) {
        let components = [
            ("apiServer", "kube-apiserver", arguments?.apiServer),
            ("controllerManager", "kube-controller-manager", arguments?.controllerManager),
            ("scheduler", "kube-scheduler", arguments?.scheduler),
        ]
        for (field, component, flags) in components {
            for (flag, value) in (flags ?? [:]).sorted(by: { $0.key < $1.key }) {
                let path = "\(path).\(field)[\(flag)]"
                require(flag, is: .flag, at: path)
                require(!ExtraArguments.isReserved(flag, of: component), path, "Nestbox sets this flag of \(component) itself")
                if flag == "disable-admission-plugins" {
                    let plugins = value.split(separator: ",")
                    require(
                        !plugins.contains("NodeRestriction"), path,
                        "NodeRestriction is what keeps one node from changing another, and stays on")
                }
            }
        }
    }
}
