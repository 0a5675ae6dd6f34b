/// For whose pods a node of the host answers on a published port (a Service's `externalTrafficPolicy`). Pure.
public enum TrafficPolicy: String, Sendable {
    /// Its own alone: source addresses are kept, and a node that is lost takes with it what came by its address and nothing else. An
    /// address whose node has no replica leads nowhere.
    case local = "Local"
    /// Everybody's: each address leads to every replica, for up to 40 s also to one whose node was lost (until the host notices).
    case cluster = "Cluster"

    /// What it is to be.
    ///
    /// Whoever knows one address only, as a kubeconfig does, must not be led nowhere by it. So it is `Local` where something chooses
    /// among addresses for all (a LoadBalancer, which checks them), or while each address has a replica; with one replica it is
    /// `Cluster`, for an upgrade brings that replica to another node, which is nobody's news in time.
    /// - Parameters:
    ///   - asked: `publish.externalTrafficPolicy`: a person who decided.
    ///   - addresses: those that it is published at by NodePort; a host may have thousands, which are looked at where they decide.
    ///   - serving: how many replicas serve now: while they become more, a load balancer finds some node without one.
    ///   - present: what it is. Once local it stays so through restarts and losses, and behind a load balancer as long as that many
    ///     replicas are wanted.
    public static func decide(
        asked: String?, type: String, addresses: @autoclosure () -> [PublishedAddress], replicas: Int, serving: Int,
        present: TrafficPolicy?
    ) -> TrafficPolicy {
        if let asked = asked.flatMap({ TrafficPolicy(rawValue: $0) }) { return asked }
        guard replicas > 1 else { return .cluster }
        if type == "LoadBalancer" { return present == .local || serving >= replicas ? .local : .cluster }
        let addresses = addresses()
        let leadSomewhere = addresses.allSatisfy { $0 == .served || $0 == .interrupted && present == .local }
        return leadSomewhere && !addresses.isEmpty ? .local : .cluster
    }
}

/// What is behind an address that a control plane is published at.
public enum PublishedAddress: Sendable {
    /// A node of the host with a replica that serves.
    case served
    /// One that is away, or whose replica does not serve at the moment, as when etcd has no leader: that is no reason to lead those who come
    /// by the others to a replica that is lost, and whose loss the host has not noticed yet.
    case interrupted
    /// One without a replica, or none of the host's: a name, or an address that moves between nodes.
    case unserved
}
