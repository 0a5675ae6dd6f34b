import FoundationEssentials
import KubernetesAPI
import Tunnel

/// The Leases by which the tunnel servers of one control plane know each other. Pure.
///
/// As with leader election, another computer's clock is not believed: a server is gone when its Lease has not changed for its
/// duration since it was seen here.
struct PeerLeases {
    static let label = "nestbox.dev/tunnel-server"
    static let address = "nestbox.dev/peer-address"
    static let duration = 30
    static let renewal = Duration.seconds(10)

    let ownID: String
    /// All servers listen for peers on one port. Who may write Leases shall not have this server connect wherever he likes.
    let port: Int
    private var seen: [String: (renewTime: String?, at: Duration)] = [:]

    init(ownID: String, port: Int) {
        self.ownID = ownID
        self.port = port
    }

    /// What this server writes of itself.
    static func own(id: String, endpoint: Endpoint, namespace: String, date: Date) -> Lease {
        Lease(
            metadata: ObjectMeta(
                name: name(of: id), namespace: namespace, labels: [label: "true"], annotations: [address: endpoint.description]),
            spec: LeaseSpec(holderIdentity: id, leaseDurationSeconds: duration, renewTime: Timestamp.formatMicro(date)))
    }

    static func name(of id: String) -> String { "tunnel-server-\(id)" }

    /// The other servers that are alive, and the ids of those that are not.
    mutating func read(_ leases: [Lease], now: Duration) -> (peers: Set<Peer>, expired: [String]) {
        var peers: Set<Peer> = []
        var expired: [String] = []
        var stillSeen: [String: (renewTime: String?, at: Duration)] = [:]
        for lease in leases {
            guard let id = lease.spec?.holderIdentity, id != ownID else { continue }
            var sight = seen[lease.name] ?? (lease.spec?.renewTime, now)
            if sight.renewTime != lease.spec?.renewTime { sight = (lease.spec?.renewTime, now) }
            stillSeen[lease.name] = sight
            if now - sight.at >= .seconds(lease.spec?.leaseDurationSeconds ?? Self.duration) {
                expired.append(id)
            } else if let endpoint = Endpoint(lease.metadata.annotations?[Self.address] ?? ""), endpoint.port == port,
                endpoint.address != nil
            {
                peers.insert(Peer(id: id, endpoint: endpoint))
            }
        }
        seen = stillSeen
        return (peers, expired.sorted())
    }
}
