import FoundationEssentials
import KubernetesAPI

/// A token with which one machine asks for its first certificate.
public struct BootstrapToken: Sendable, Equatable, CustomStringConvertible, CustomReflectable {
    /// Six characters, not secret: the Secret's name holds them.
    public var id: String
    /// Sixteen characters.
    public var secret: String

    public init(id: String, secret: String) {
        self.id = id
        self.secret = secret
    }

    /// A new one. 16 characters of 36 hold 82 bits.
    public init(using generator: inout some RandomNumberGenerator) {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        func text(_ length: Int) -> String {
            var text = ""
            for _ in 0..<length { text.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]) }
            return text
        }
        id = text(6)
        secret = text(16)
    }

    /// A new one of the system's randomness.
    public init() {
        var generator = SystemRandomNumberGenerator()
        self.init(using: &generator)
    }

    /// `id.secret`, as it is sent. Never to be logged.
    public var value: String { "\(id).\(secret)" }

    /// The longest that a token lives, in seconds: a join takes minutes, and after 30 it is made anew.
    public static let longestLifetime: TimeInterval = 1800

    /// The user that the API server sees behind it: `spec.username` of a CSR made with it.
    public var user: String { Self.userPrefix + id }

    /// What every such user's name begins with; the rest is the token's id.
    public static let userPrefix = "system:bootstrap:"

    public var secretName: String { "bootstrap-token-\(id)" }

    /// The Secret that makes it valid, for one Machine: the operator approves by the label that names it.
    public func object(forMachine machine: String, now: Date) -> Secret {
        var secret = object(group: NestboxName.bootstrappersGroup, now: now)
        secret.metadata.labels?[Self.machineLabel] = machine
        secret.metadata.annotations = ["nestbox.dev/purpose": "join of machine \(machine)"]
        return secret
    }

    /// The Secret that makes it valid for `kubeadm join`, of any machine: its signature lets kubeadm know the cluster.
    public func objectForKubeadm(now: Date) -> Secret {
        var secret = object(group: NestboxName.kubeadmBootstrappersGroup, now: now)
        secret.data?["usage-bootstrap-signing"] = Base64(text: "true")
        secret.data?["description"] = Base64(text: "for kubeadm join, made by nestbox token kubeadm")
        return secret
    }

    private func object(group: String, now: Date) -> Secret {
        Secret(
            metadata: tenantMetadata(secretName, namespace: "kube-system"), type: "bootstrap.kubernetes.io/token",
            data: [
                "token-id": Base64(text: id), "token-secret": Base64(text: secret),
                "expiration": Base64(text: Timestamp.format(now.addingTimeInterval(Self.longestLifetime))),
                "usage-bootstrap-authentication": Base64(text: "true"),
                "auth-extra-groups": Base64(text: group),
            ])
    }

    /// On a token's Secret: the Machine that it was made for.
    public static let machineLabel = "nestbox.dev/machine"

    public var description: String { "bootstrap token \(id)" }
    public var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

extension Kubeconfig {
    /// `/etc/nestbox/bootstrap.kubeconfig` of a machine: the API server as `nestbox-node` holds it, and a token.
    public static func bootstrap(_ settings: ClusterSettings, certificateAuthority: String, token: BootstrapToken) -> String {
        inline(
            name: settings.name, server: "https://\(settings.nodeLocalAPIEndpoint)", certificateAuthority: certificateAuthority,
            user: "bootstrap", credential: .token(token.value))
    }

    /// The admin's, with the published address.
    public static func admin(
        _ settings: ClusterSettings, server: String, certificateAuthority: String, client: IssuedCertificate
    ) -> String {
        inline(
            name: settings.name, server: "https://\(server)", certificateAuthority: certificateAuthority, user: NestboxName.adminUser,
            credential: .certificate(client))
    }
}
