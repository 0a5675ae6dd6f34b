import KubernetesAPI
import NestboxAPI

/// What the API servers prove themselves with to an etcd that somebody else runs.
public struct ExternalEtcdKeys: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    public var certificateAuthorityPEM: String
    public var client: IssuedCertificate

    /// Nil for a Secret that lacks one of `ca.crt`, `tls.crt` and `tls.key`.
    public init?(_ secret: Secret) {
        func file(_ name: String) -> String? { secret.data?[name]?.text.flatMap { $0.isEmpty ? nil : $0 } }
        guard let authority = file("ca.crt"), let certificate = file("tls.crt"), let key = file("tls.key") else { return nil }
        certificateAuthorityPEM = authority
        client = IssuedCertificate(certificatePEM: certificate, keyPEM: key)
    }

    public var description: String { "the keys to an etcd" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// A control plane's side of an etcd that somebody else runs: where it is, and which part of it is this cluster's.
public enum ExternalEtcd {
    static let name = "external-etcd"
    private static let directory = "/etc/nestbox/\(name)"

    /// Below it lies all that this cluster writes. By the UID: a cluster of the same name that comes after finds nothing of it.
    public static func prefix(_ settings: ClusterSettings) -> String { "/nestbox/\(settings.uid)" }

    /// A copy in the control plane's namespace of what the tenant's namespace holds.
    static func secret(_ settings: ClusterSettings, _ keys: ExternalEtcdKeys) -> Secret {
        Secret(
            metadata: settings.metadata(name), type: "Opaque",
            data: [
                "ca.crt": Base64(text: keys.certificateAuthorityPEM), "tls.crt": Base64(text: keys.client.certificatePEM),
                "tls.key": Base64(text: keys.client.keyPEM),
            ])
    }

    static func arguments(_ settings: ClusterSettings, _ external: ExternalEtcdSpec) -> [String: String] {
        [
            "etcd-cafile": "\(directory)/ca.crt", "etcd-certfile": "\(directory)/tls.crt", "etcd-keyfile": "\(directory)/tls.key",
            "etcd-prefix": prefix(settings), "etcd-servers": (external.endpoints ?? []).joined(separator: ","),
        ]
    }

    static var volume: Volume { Volume(name: name, secret: SecretVolumeSource(secretName: name, defaultMode: 0o440)) }

    static var mount: VolumeMount { VolumeMount(name: name, mountPath: directory, readOnly: true) }

    /// Of its endpoints: where they lead is not for us to know, so only the ports are bounded.
    static func ports(_ external: ExternalEtcdSpec) -> [Int] {
        Set((external.endpoints ?? []).compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }).sorted()
    }
}
