import FoundationEssentials
import NestboxAPI

/// Each certificate that a control plane runs on.
public enum Leaf: String, Sendable, CaseIterable, Hashable {
    /// kube-apiserver's serving certificate.
    case apiServer = "apiserver"
    /// kube-apiserver to kubelets.
    case kubeletClient = "apiserver-kubelet-client"
    /// kube-apiserver to etcd.
    case etcdClient = "apiserver-etcd-client"
    /// kube-apiserver to extension API servers.
    case frontProxyClient = "front-proxy-client"
    case controllerManager = "controller-manager"
    case scheduler = "scheduler"
    /// What tunnel agents meet.
    case tunnelServer = "tunnel-server"
    /// The tunnel server to kube-apiserver.
    case tunnelClient = "tunnel-client"
    case etcdServer = "etcd-server"
    case etcdPeer = "etcd-peer"
    /// The operator to etcd: backup, health, compaction.
    case etcdOperator = "etcd-operator"
    /// The operator to kube-apiserver.
    case operatorClient = "operator"

    public enum Authority: Sendable, Hashable, CaseIterable {
        case cluster
        case etcd
        case frontProxy
    }

    public var authority: Authority {
        switch self {
        case .etcdClient, .etcdServer, .etcdPeer, .etcdOperator: .etcd
        case .frontProxyClient: .frontProxy
        default: .cluster
        }
    }

    /// What the certificate says.
    ///
    /// - Parameter published: hosts, without ports, under which the API server is reached from outside.
    public func request(_ settings: ClusterSettings, published: [String]) -> CertificateRequest {
        switch self {
        case .apiServer: Self.apiServerRequest(settings, published: published)
        case .kubeletClient:
            // Also the clock of the rollout that an API server needs: see `reloadDelay`.
            client("kube-apiserver-kubelet-client", settings, lifetime: min(settings.leafLifetime, Self.longestRunOfAnAPIServer))
        case .etcdClient: client("kube-apiserver-etcd-client", settings)
        case .frontProxyClient: client("front-proxy-client", settings)
        case .controllerManager: client("system:kube-controller-manager", settings)
        case .scheduler: client("system:kube-scheduler", settings)
        case .tunnelServer:
            // A server of one control plane dials its peers under the same name, so both usages.
            CertificateRequest(
                commonName: NestboxName.tunnelServerName, dnsNames: [NestboxName.tunnelServerName], usages: [.server, .client],
                lifetime: settings.leafLifetime)
        case .tunnelClient: client(NestboxName.tunnelUser, settings)
        case .etcdServer: Self.etcdRequest(settings)
        case .etcdPeer: Self.etcdRequest(settings)
        case .etcdOperator: client("nestbox-operator", settings)
        case .operatorClient: client(NestboxName.operatorUser, settings)
        }
    }

    private func client(_ user: String, _ settings: ClusterSettings, lifetime: TimeInterval? = nil) -> CertificateRequest {
        CertificateRequest(commonName: user, usages: [.client], lifetime: lifetime ?? settings.leafLifetime)
    }

    private static func apiServerRequest(_ settings: ClusterSettings, published: [String]) -> CertificateRequest {
        let hosts = published + (settings.spec.publish?.subjectAlternativeNames ?? []) + (settings.spec.publish?.addresses ?? [])
        let addresses = hosts.filter { IPAddressBytes.parse($0) != nil }
        let names = hosts.filter { IPAddressBytes.parse($0) == nil }
        let ownNames = [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.\(settings.dnsDomain)", "localhost",
            NestboxName.apiService, "\(NestboxName.apiService).\(settings.controlPlaneNamespace).svc",
        ]
        let ownAddresses = ["\(settings.kubernetesServiceAddress)", "\(settings.nodeLocalAPIAddress)", "127.0.0.1"]
        return CertificateRequest(
            commonName: "kube-apiserver", dnsNames: unique(ownNames + names.sorted()),
            ipAddresses: unique(ownAddresses + addresses.sorted()), usages: [.server], lifetime: settings.leafLifetime)
    }

    /// Of every member, towards clients and other members.
    static let etcdCommonName = "etcd"

    /// One certificate for all members: each is dialled by its Service's name, which the pods know from /etc/hosts.
    private static func etcdRequest(_ settings: ClusterSettings) -> CertificateRequest {
        let members = settings.etcdNames
        return CertificateRequest(
            commonName: etcdCommonName, dnsNames: ["localhost"] + members + members.map { "\($0).\(settings.controlPlaneNamespace).svc" },
            ipAddresses: ["127.0.0.1"], usages: [.server, .client], lifetime: settings.leafLifetime)
    }

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }
}
