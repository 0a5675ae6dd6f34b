import ControlPlane
import KubernetesAPI

/// Whether a tenant's nodes are reached through the tunnel, by what its servers say. Pure.
struct TunnelConnected: Equatable {
    static let condition = "TunnelConnected"
    /// As the tunnel's server labels and annotates its report.
    static let reportLabel = "nestbox.dev/tunnel-agents"
    static let missingAnnotation = "nestbox.dev/nodes-without-agent"
    /// Of names in a message.
    private static let limit = 5

    var isTrue: Bool
    var reason: String
    var message = ""
}

extension TunnelConnected {
    /// Nil while no server has said anything.
    ///
    /// A node is reached when any server holds its agent: servers pass on to each other.
    init?(reports: [Lease], joinedNodes: [String]) {
        let missing = reports.map { report in
            Set((report.metadata.annotations?[Self.missingAnnotation] ?? "").split(separator: ",").map(String.init))
        }
        guard let first = missing.first else { return nil }
        guard !joinedNodes.isEmpty else {
            self.init(isTrue: true, reason: "NoNodes")
            return
        }
        let nowhere = missing.dropFirst().reduce(first) { $0.intersection($1) }
        let unreached = joinedNodes.filter(nowhere.contains).sorted()
        guard !unreached.isEmpty else {
            self.init(isTrue: true, reason: "AgentsConnected")
            return
        }
        self.init(
            isTrue: false, reason: "AgentsMissing",
            message: "no tunnel to \(unreached.count) of \(joinedNodes.count) nodes, so no logs, exec or webhooks there: "
                + "\(unreached.inWords(most: Self.limit)); is the machine up? journalctl -u nestbox-node on it says more"
        )
    }
}
