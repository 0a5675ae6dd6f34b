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
        // A component that behaves as another version than the one that is asked for: `spec.version` is what is asked for.
        "emulated-version", "min-compatibility-version",
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
        "etcd": [
            "name", "data-dir", "wal-dir", "config-file", "client-cert-auth", "trusted-ca-file", "cert-file", "key-file", "auto-tls",
            "client-crl-file", "quota-backend-bytes", "force-new-cluster", "unsafe-no-fsync", "discovery", "discovery-srv", "proxy",
            "snapshot-count", "enable-grpc-gateway", "self-signed-cert-validity", "strict-reconfig-check", "v2-deprecation",
        ],
    ]
    private static let reservedPrefixes: [String: [String]] = [
        "kube-apiserver": ["etcd-", "kubelet-"],
        "kube-controller-manager": ["cluster-signing-"],
        "etcd": ["listen-", "advertise-", "initial-", "peer-", "experimental-peer-", "discovery-", "proxy-", "grpc-proxy-"],
    ]

    /// Flags that name a file: there is none of the author's in the container, so that it would not start.
    static func takesFile(_ flag: String, of component: String) -> String? {
        files[component]?[flag]
    }

    private static let files: [String: [String: String]] = [
        "kube-apiserver": [
            "audit-policy-file": "spec.controlPlane.audit.policy", "audit-webhook-config-file": "spec.controlPlane.audit.webhook",
            "oidc-ca-file": "spec.controlPlane.oidc.certificateAuthority", "encryption-provider-config": "",
            "admission-control-config-file": "", "authentication-token-webhook-config-file": "", "authorization-policy-file": "",
            "authorization-webhook-config-file": "", "tracing-config-file": "", "cloud-config": "", "tls-sni-cert-key": "",
        ],
        "kube-controller-manager": ["cloud-config": ""], "kube-scheduler": ["policy-config-file": ""],
    ]

    /// What must not be turned off: `--feature-gates` (in 1.20 server-side apply is still one), by component.
    static let neededFeatures: Set<String> = [
        "AllBeta", "ServerSideApply", "EndpointSlice", "StructuredAuthenticationConfiguration", "AnonymousAuthConfigurableEndpoints",
        "BoundServiceAccountTokenVolume", "TokenRequest",
    ]

    /// What a cluster is run through: none of these groups may be turned off by `--runtime-config`.
    static let neededAPIs: Set<String> = [
        "api", "v1", "apps", "authentication.k8s.io", "authorization.k8s.io", "certificates.k8s.io", "coordination.k8s.io",
        "discovery.k8s.io", "policy", "rbac.authorization.k8s.io", "apiregistration.k8s.io",
    ]

    /// What keeps one node, or whoever may approve nothing, from making itself another.
    static let neededPlugins = [
        "NodeRestriction", "CertificateApproval", "CertificateSigning", "CertificateSubjectRestriction",
    ]
}

extension FieldErrors {
    mutating func checkExtraArguments(_ spec: ControlPlaneSpec, at path: String) {
        let arguments = spec.extraArguments
        let components = [
            ("apiServer", "kube-apiserver", arguments?.apiServer),
            ("controllerManager", "kube-controller-manager", arguments?.controllerManager),
            ("scheduler", "kube-scheduler", arguments?.scheduler), ("etcd", "etcd", arguments?.etcd),
        ]
        for (field, component, flags) in components {
            for (flag, value) in (flags ?? [:]).sorted(by: { $0.key < $1.key }) {
                let path = "\(path).\(field)[\(flag)]"
                require(flag, is: .flag, at: path)
                require(!ExtraArguments.isReserved(flag, of: component), path, "Nestbox sets this flag of \(component) itself")
                if let instead = ExtraArguments.takesFile(flag, of: component) {
                    add(path, "names a file, and \(component)'s container has none of yours" + (instead.isEmpty ? "" : ": set \(instead)"))
                }
                if component == "kube-apiserver" { checkAPIServerFlag(flag, value, spec, at: path) }
                if flag == "feature-gates" { checkFeatureGates(value, at: path) }
            }
        }
    }

    private mutating func checkAPIServerFlag(_ flag: String, _ value: String, _ spec: ControlPlaneSpec, at path: String) {
        let ofAudit: Set = ["audit-log-path", "audit-log-maxage", "audit-log-maxbackup", "audit-log-maxsize"]
        if spec.audit != nil, ofAudit.contains(flag) { add(path, "spec.controlPlane.audit sets this flag") }
        if spec.oidc != nil, flag.hasPrefix("oidc-") { add(path, "spec.controlPlane.oidc sets this flag") }
        switch flag {
        case "disable-admission-plugins":
            for plugin in value.split(separator: ",").map(String.init) where ExtraArguments.neededPlugins.contains(plugin) {
                let why =
                    plugin == "NodeRestriction"
                    ? "is what keeps one node from changing another" : "is what keeps certificates to those who may approve them"
                add(path, "\(plugin) \(why), and stays on")
            }
        case "runtime-config":
            for (api, setting) in Self.settings(value) where Self.isOff(setting) {
                let parts = api.split(separator: "/").map(String.init)
                let isNeeded = api != "api/alpha" && ExtraArguments.neededAPIs.contains(parts.first ?? "")
                require(!isNeeded, path, "\(quoted(api)) is an API that the cluster is run through, and stays on")
            }
        default: break
        }
    }

    private mutating func checkFeatureGates(_ value: String, at path: String) {
        for (feature, setting) in Self.settings(value) where ExtraArguments.neededFeatures.contains(feature) {
            require(!Self.isOff(setting), path, "\(feature) is what Nestbox works with, and stays on")
        }
    }

    /// As Go's `strconv.ParseBool` has it.
    private static func isOff(_ setting: String) -> Bool { ["false", "f", "0"].contains(setting) }

    /// `a=true,b=false`.
    private static func settings(_ value: String) -> [(String, String)] {
        value.split(separator: ",").map { part in
            let pair = part.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " } }
            return (pair.first ?? "", pair.count > 1 ? pair[1].lowercased() : "")
        }
    }
}
