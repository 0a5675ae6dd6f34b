/// How the servers of one control plane find each other.
public struct PeerListening: Sendable {
    public var host: String
    public var port: Int
    /// The name in every server's certificate.
    public var serverName: String
    public var identifier: any PeerIdentifier

    public init(host: String = "::", port: Int, serverName: String, identifier: any PeerIdentifier) {
        self.host = host
        self.port = port
        self.serverName = serverName
        self.identifier = identifier
    }
}

/// Tells a server's certificate, which TLS has verified up to the cluster's CA, from a node's.
public protocol PeerIdentifier: Sendable {
    /// Throws when it is not a peer's.
    func check(certificate der: [UInt8]) throws
}

/// Another server of the same control plane.
public struct Peer: Hashable, Sendable {
    public var id: String
    public var endpoint: Endpoint

    public init(id: String, endpoint: Endpoint) {
        self.id = id
        self.endpoint = endpoint
    }
}

/// Between servers the native transport is spoken, under a name of its own: the one that dials opens streams, the other passes them
/// to its own agents, never to a third server, and says as they come and go which nodes it holds.
enum PeerProtocol {
    static let applicationProtocol = "nestbox-peer/1"
}
