import Crypto
import HexDigest
import KubernetesAPI

/// The Secrets of the control-plane namespace: who can read which key.
///
/// One a root, that no pod mounts whole, and one a component, with all that it needs and nothing else.
public enum KeySecret: String, Sendable, CaseIterable {
    case clusterCA = "cluster-ca"
    case etcdCA = "etcd-ca"
    case frontProxyCA = "front-proxy-ca"
    case serviceAccountKey = "service-account-key"
    case apiServer = "kube-apiserver"
    case controllerManager = "kube-controller-manager"
    case scheduler = "kube-scheduler"
    case tunnel
    case etcd
    /// What the operator itself speaks to the tenant with; no pod mounts it.
    case `operator` = "operator"

    /// The leaves that it holds, and the file's name of each without `.crt` or `.key`.
    var leaves: [(leaf: Leaf, file: String)] {
        switch self {
        case .clusterCA, .etcdCA, .frontProxyCA, .serviceAccountKey: []
        case .apiServer:
            [
                (.apiServer, "tls"), (.kubeletClient, "kubelet-client"), (.etcdClient, "etcd-client"),
                (.frontProxyClient, "front-proxy-client"),
            ]
        case .controllerManager: [(.controllerManager, "client")]
        case .scheduler: [(.scheduler, "client")]
        case .tunnel: [(.tunnelServer, "tls"), (.tunnelClient, "client")]
        case .etcd: [(.etcdServer, "server"), (.etcdPeer, "peer")]
        case .operator: [(.operatorClient, "client"), (.etcdOperator, "etcd-client")]
        }
    }

    /// The files, by name.
    func files(_ settings: ClusterSettings, _ keys: ClusterKeys) throws(PKIError) -> [String: String] {
        var files: [String: String] = [:]
        for (leaf, file) in leaves {
            let issued = try keys.leaf(leaf)
            files["\(file).crt"] = issued.certificatePEM
            files["\(file).key"] = issued.keyPEM
        }
        switch self {
        case .clusterCA: files = Self.files(keys.cluster)
        case .etcdCA: files = Self.files(keys.etcd)
        case .frontProxyCA: files = Self.files(keys.frontProxy)
        case .serviceAccountKey: files = ["sa.key": keys.serviceAccount.privatePEM, "sa.pub": keys.serviceAccount.publicPEM]
        case .apiServer:
            files["ca.crt"] = keys.cluster.certificatePEM
            files["etcd-ca.crt"] = keys.etcd.certificatePEM
            files["front-proxy-ca.crt"] = keys.frontProxy.certificatePEM
            files["sa.key"] = keys.serviceAccount.privatePEM
            files["sa.pub"] = keys.serviceAccount.publicPEM
        case .controllerManager:
            files["ca.crt"] = keys.cluster.certificatePEM
            files["ca.key"] = keys.cluster.keyPEM
            files["front-proxy-ca.crt"] = keys.frontProxy.certificatePEM
            files["sa.key"] = keys.serviceAccount.privatePEM
            files["kubeconfig"] = Kubeconfig.inPod(directory: Self.mountPath(.controllerManager))
        case .scheduler:
            files["ca.crt"] = keys.cluster.certificatePEM
            files["front-proxy-ca.crt"] = keys.frontProxy.certificatePEM
            files["kubeconfig"] = Kubeconfig.inPod(directory: Self.mountPath(.scheduler))
        case .tunnel:
            files["ca.crt"] = keys.cluster.certificatePEM
            files["kubeconfig"] = Kubeconfig.inPod(directory: Self.mountPath(.tunnel))
        case .etcd: files["ca.crt"] = keys.etcd.certificatePEM
        case .operator:
            files["ca.crt"] = keys.cluster.certificatePEM
            files["etcd-ca.crt"] = keys.etcd.certificatePEM
        }
        return files
    }

    /// Where a component's container finds it.
    static func mountPath(_ secret: KeySecret) -> String { "/etc/nestbox/\(secret.rawValue)" }

    private static func files(_ authority: CertificateAuthority) -> [String: String] {
        ["tls.crt": authority.certificatePEM, "tls.key": authority.keyPEM]
    }
}

extension ClusterKeys {
    /// The Secrets that hold these keys.
    public func secrets(_ settings: ClusterSettings) throws(PKIError) -> [Secret] {
        var secrets: [Secret] = []
        for secret in KeySecret.allCases {
            let files = try secret.files(settings, self)
            secrets.append(
                Secret(metadata: settings.metadata(secret.rawValue), type: "Opaque", data: files.mapValues { Base64(text: $0) }))
        }
        return secrets
    }

    /// The keys that those Secrets hold; nil when none of the four roots is there: nothing was ever made, or all is gone.
    /// Some roots without the others is an error: a cluster in that state is lost, and no key is made to cover it.
    /// A leaf that is missing is only missing: it will be issued again.
    public init?(secrets: [Secret]) throws(PKIError) {
        let kept = KeyFiles(secrets)
        let roots: [(KeySecret, String, String)] = [
            (.clusterCA, "tls.crt", "tls.key"), (.etcdCA, "tls.crt", "tls.key"), (.frontProxyCA, "tls.crt", "tls.key"),
            (.serviceAccountKey, "sa.pub", "sa.key"),
        ]
        let found = roots.map { secret, first, second in (kept.file(secret, first), kept.file(secret, second)) }
        if found.allSatisfy({ $0.0 == nil && $0.1 == nil }) { return nil }
        var pairs: [(public: String, private: String)] = []
        for (root, pair) in zip(roots, found) {
            guard let first = pair.0, let second = pair.1 else {
                throw PKIError("Secret \"\(root.0.rawValue)\" has lost \(pair.0 == nil ? root.1 : root.2): restore it from a backup")
            }
            pairs.append((first, second))
        }
        self.init(
            cluster: CertificateAuthority(certificatePEM: pairs[0].public, keyPEM: pairs[0].private),
            etcd: CertificateAuthority(certificatePEM: pairs[1].public, keyPEM: pairs[1].private),
            frontProxy: CertificateAuthority(certificatePEM: pairs[2].public, keyPEM: pairs[2].private),
            serviceAccount: ServiceAccountKey(privatePEM: pairs[3].private, publicPEM: pairs[3].public), leaves: kept.leaves)
    }

    /// A hash of what that component holds and does not read again by itself: in its pod's template it makes the pod roll.
    func hash(_ settings: ClusterSettings, _ components: [KeySecret]) throws(PKIError) -> String {
        var hash = SHA256()
        for component in components {
            let reloaded = component.leaves.filter { $0.leaf.isReloaded(settings) }.flatMap { ["\($0.file).crt", "\($0.file).key"] }
            for (name, text) in try component.files(settings, self).sorted(by: { $0.key < $1.key }) where !reloaded.contains(name) {
                hash.update(data: Array("\(component.rawValue)/\(name)\n\(text)\n".utf8))
            }
        }
        return hexadecimal(hash.finalize().prefix(16))
    }
}

/// What the Secrets of a control-plane namespace hold, file by file.
struct KeyFiles {
    private let secrets: [String: Secret]

    init(_ secrets: [Secret]) {
        self.secrets = Dictionary(secrets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// Nil also when it is empty.
    func file(_ secret: KeySecret, _ name: String) -> String? {
        guard let text = secrets[secret.rawValue]?.data?[name]?.text, !text.isEmpty else { return nil }
        return text
    }

    var leaves: [Leaf: IssuedCertificate] {
        var leaves: [Leaf: IssuedCertificate] = [:]
        for secret in KeySecret.allCases {
            for (leaf, name) in secret.leaves {
                guard let certificate = file(secret, "\(name).crt"), let key = file(secret, "\(name).key") else { continue }
                leaves[leaf] = IssuedCertificate(certificatePEM: certificate, keyPEM: key)
            }
        }
        return leaves
    }
}
