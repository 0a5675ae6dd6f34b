/// Where to connect and as whom.
public struct SSHTarget: Sendable, Hashable, CustomStringConvertible {
    /// An IP address or a host name.
    public var host: String
    public var port: Int
    public var user: String

    public init(host: String, port: Int = 22, user: String = "root") {
        self.host = host
        self.port = port
        self.user = user
    }

    /// `user@host:port`, with brackets around an IPv6 address.
    public var description: String { "\(user)@\(host.contains(":") ? "[\(host)]" : host):\(port)" }
}
