/// Where an SSH connection goes, and as whom.
public struct SSHTarget: Sendable, Hashable, CustomStringConvertible {
    /// An IP address or a host name.
    public var host: String
    public var port: Int
    public var user: String
    /// Where it stands on the way, so that what goes wrong says with whom.
    var hop = Hop.direct

    /// A server's place on the way.
    enum Hop: Sendable, Hashable {
        case direct
        /// It only passes on.
        case jumpHost
        /// Reached through the jump host of that description.
        case behind(String)
    }

    public init(host: String, port: Int = 22, user: String = "root") {
        self.host = host
        self.port = port
        self.user = user
    }

    /// `user@host:port`, with brackets around an IPv6 address; and the jump host, where there is one.
    public var description: String {
        let address = "\(user)@\(host.contains(":") ? "[\(host)]" : host):\(port)"
        return switch hop {
        case .direct: address
        case .jumpHost: "jump host \(address)"
        case .behind(let other): "\(address) (behind \(other))"
        }
    }

    /// Whether this is the jump host on the way, and not where it goes.
    public var isJumpHost: Bool { hop == .jumpHost }
}

/// A server that passes a connection on to one that cannot be reached from here.
public struct SSHJumpHost: Sendable {
    public var target: SSHTarget
    public var key: SSHPrivateKey
    public var hostKey: HostKeyPolicy

    public init(target: SSHTarget, key: SSHPrivateKey, hostKey: HostKeyPolicy) {
        self.target = target
        self.key = key
        self.hostKey = hostKey
    }
}
