import KubernetesAPI
import NestboxAPI

/// What the API servers prove themselves with to an etcd that somebody else runs. Descriptions of it show no secret.
public struct ExternalEtcdKeys: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    static let certificateAuthorityFile = "ca.crt"
    static let certificateFile = "tls.crt"
    static let keyFile = "tls.key"

    public var certificateAuthorityPEM: String
    public var client: IssuedCertificate

    /// Nil for a Secret that lacks a file.
    public init?(_ secret: Secret) {
        guard let authority = Self.file(secret, Self.certificateAuthorityFile), let certificate = Self.file(secret, Self.certificateFile),
            let key = Self.file(secret, Self.keyFile)
        else { return nil }
        certificateAuthorityPEM = authority
        client = IssuedCertificate(certificatePEM: certificate, keyPEM: key)
    }

    /// Of `ca.crt`, `tls.crt` and `tls.key` those that a Secret lacks, or has empty.
    public static func missingFiles(in secret: Secret) -> [String] {
        [certificateAuthorityFile, certificateFile, keyFile].filter { file(secret, $0) == nil }
    }

    private static func file(_ secret: Secret, _ name: String) -> String? {
        secret.data?[name]?.text.flatMap { $0.isEmpty ? nil : $0 }
    }

    public var description: String { "the keys to an etcd" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What is known of the etcd that a cluster brings, for its API servers.
public struct ExternalEtcdInput: Sendable {
    public var keys: ExternalEtcdKeys
    /// Of its data. API servers keep what they have read and wait for what comes after it: with other data they have to begin anew.
    public var clusterID: String

    public init(keys: ExternalEtcdKeys, clusterID: String) {
        self.keys = keys
        self.clusterID = clusterID
    }
}

/// A control plane's side of an etcd that somebody else runs: where it is, and which part of it is this cluster's.
public enum ExternalEtcd {
    /// Of the copy of its Secret in the control plane's namespace, whatever that is called where it comes from.
    public static let secretName = "external-etcd"
    private static let directory = "/etc/nestbox/\(secretName)"

    /// Below it, after a slash, lies all that this cluster writes. Whoever runs that etcd knows it before the cluster is there as far as
    /// the name goes, to give a user rights there and nowhere else. The UID keeps clusters apart whatever anybody writes into a spec: also
    /// those of two hosts, and one that comes after another of its name.
    public static func prefix(namespace: String, name: String, uid: String) -> String { "\(share(namespace: namespace, name: name))\(uid)" }

    /// What its user needs rights on; of every cluster of that name.
    public static func share(namespace: String, name: String) -> String { "/nestbox/\(namespace)/\(name)/" }

    /// A copy in the control plane's namespace of what the tenant's namespace holds.
    static func secret(_ settings: ClusterSettings, _ keys: ExternalEtcdKeys) -> Secret {
        Secret(
            metadata: settings.metadata(secretName), type: "Opaque",
            data: [
                ExternalEtcdKeys.certificateAuthorityFile: Base64(text: keys.certificateAuthorityPEM),
                ExternalEtcdKeys.certificateFile: Base64(text: keys.client.certificatePEM),
                ExternalEtcdKeys.keyFile: Base64(text: keys.client.keyPEM),
            ])
    }

    /// In place of those that lead to an etcd of Nestbox's own.
    static func arguments(_ settings: ClusterSettings) -> [String: String] {
        guard let external = settings.externalEtcd else { return [:] }
        return [
            "etcd-cafile": "\(directory)/\(ExternalEtcdKeys.certificateAuthorityFile)",
            "etcd-certfile": "\(directory)/\(ExternalEtcdKeys.certificateFile)", "etcd-keyfile": "\(directory)/\(ExternalEtcdKeys.keyFile)",
            "etcd-prefix": settings.externalEtcdPrefix,
            "etcd-servers": (external.endpoints ?? []).joined(separator: ","),
        ]
    }

    static func volumes(_ settings: ClusterSettings) -> [Volume] {
        guard settings.externalEtcd != nil else { return [] }
        return [Volume(name: secretName, secret: SecretVolumeSource(secretName: secretName, defaultMode: 0o440))]
    }

    static func mounts(_ settings: ClusterSettings) -> [VolumeMount] {
        guard settings.externalEtcd != nil else { return [] }
        return [VolumeMount(name: secretName, mountPath: directory, readOnly: true)]
    }

    /// What the API servers do not read again by themselves: they take a client certificate anew with each handshake, as with one of
    /// Nestbox's own (see `Leaf.reloadDelay`), and their etcd's authority when they start.
    static func notReloaded(_ input: ExternalEtcdInput?) -> [String] {
        input.map { [$0.keys.certificateAuthorityPEM, $0.clusterID] } ?? []
    }

    /// Of its endpoints. Where their names lead is not for us to know, so that the ports alone are bounded.
    static func ports(_ external: ExternalEtcdSpec) -> [Int] {
        Set((external.endpoints ?? []).compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }).sorted()
    }
}

extension ClusterSettings {
    /// `/nestbox/NAMESPACE/NAME/UID`.
    public var externalEtcdPrefix: String { ExternalEtcd.prefix(namespace: namespace, name: name, uid: uid) }
}
