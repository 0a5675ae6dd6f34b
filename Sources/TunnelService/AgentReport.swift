import KubernetesAPI
import Tunnel

/// What one tunnel server says to the operator of its agents: a Lease, the one kind that it may write, and not the one by which servers
/// know each other, which changes every 10 s. Pure.
struct AgentReport: Equatable {
    static let label = "nestbox.dev/tunnel-agents"
    static let annotation = "nestbox.dev/nodes-without-agent"
    /// Of names in a report; an object's annotations have room for 256 KiB.
    private static let limit = 1000

    /// Nodes of the record that have no agent at this server, by name.
    var missing: [String]

    /// - Parameter connected: the nodes whose agents are here.
    init(record: ClusterRecord, connected: Set<String>) {
        missing = Array(record.nodes.map(\.name).filter { !connected.contains($0) }.prefix(Self.limit))
    }

    func lease(of id: String, namespace: String) -> Lease {
        Lease(
            metadata: ObjectMeta(
                name: Self.name(of: id), namespace: namespace, labels: [Self.label: "true"],
                annotations: [Self.annotation: missing.joined(separator: ",")]),
            spec: LeaseSpec(holderIdentity: id))
    }

    static func name(of id: String) -> String { "tunnel-agents-\(id)" }
}
