/// What a tunnel server is made with.
public struct TunnelServerConfiguration: Sendable {
    /// Where kube-apiserver connects to.
    public var front: FrontListening
    public var agentHost: String
    public var agentPort: Int
    /// The serving certificate, its key, and the CA of the agents' certificates.
    public var tls: TLSFiles
    /// How upstream's agents are served.
    public var konnectivity = KonnectivityServing()
    /// Where the other servers connect to; nil for a server that has no peers.
    public var peers: PeerListening?
    /// Tells this server from the others of its control plane.
    public var serverID: String
    /// Once the server is asked to stop: how long it still takes dials, and how long after that open connections may go on.
    public var shutdownDelay: Duration
    public var drainTime: Duration

    public init(
        front: FrontListening, agentHost: String = "::", agentPort: Int, tls: TLSFiles, peers: PeerListening? = nil,
        serverID: String = TunnelServerConfiguration.randomID(), shutdownDelay: Duration = .zero, drainTime: Duration = .seconds(20)
    ) {
        self.front = front
        self.agentHost = agentHost
        self.agentPort = agentPort
        self.tls = tls
        self.peers = peers
        self.serverID = serverID
        self.shutdownDelay = shutdownDelay
        self.drainTime = drainTime
    }

    /// A name that no other server has.
    public static func randomID() -> String { String(UInt64.random(in: .min ... .max), radix: 16) }
}

/// Where kube-apiserver connects to, and what it speaks there: what its EgressSelectorConfiguration says.
public struct FrontListening: Sendable {
    /// A Unix socket, or a TCP port where TLS proves who dials.
    public enum Address: Sendable {
        case unix(path: String)
        case tcp(host: String, port: Int, TLSFiles)
    }

    public var address: Address
    public var speaking: FrontProtocol

    public init(_ address: Address, speaking: FrontProtocol = .httpConnect) {
        self.address = address
        self.speaking = speaking
    }
}
