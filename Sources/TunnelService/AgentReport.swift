import KubernetesAPI
import Tunnel

/// What one tunnel server says to the operator of its agents: a Lease, the one kind that it may write, and not the one by which servers
/// know each other, which changes every 10 s. Pure.
struct AgentReport: Equatable {
    static let label = "nestbox.dev/tunnel-agents"
    static let annotation = "nestbox.dev/nodes-without-agent"
    static let endpointsAnnotation = "nestbox.dev/endpoints"
    static let unconfirmedAnnotation = "nestbox.dev/nodes-unconfirmed"
    /// Of names in a report; an object's annotations have room for 256 KiB.
    private static let limit = 1000

    /// Nodes of the record that have no agent at this server, by name.
    var missing: [String]
    /// Where the control plane is published, as agents are told it.
    var endpoints: PublishedEndpoints?
    /// Nodes whose agents are here, and have not confirmed that.
    var unconfirmed: [String]

    /// - Parameter connected: the nodes whose agents are here, and what each of them confirmed at last.
    init(record: ClusterRecord, connected: [String: Set<PublishedEndpoints>]) {
        missing = Array(record.nodes.map(\.name).filter { connected[$0] == nil }.prefix(Self.limit))
        endpoints = record.endpoints
        unconfirmed =
            record.endpoints.map { endpoints in
                Array(connected.filter { !$0.value.contains(endpoints) }.keys.sorted().prefix(Self.limit))
            } ?? []
    }

    init(record: ClusterRecord, agents: [ConnectedAgent]) {
        var connected: [String: Set<PublishedEndpoints>] = [:]
        for agent in agents {
            let confirmed = agent.confirmed.map { PublishedEndpoints(api: $0.apiEndpoints, tunnel: $0.tunnelEndpoints) }
            connected[agent.node, default: []].formUnion([confirmed].compactMap { $0 })
        }
        self.init(record: record, connected: connected)
    }

    func lease(of id: String, namespace: String) -> Lease {
        var annotations = [Self.annotation: missing.joined(separator: ",")]
        if let endpoints {
            annotations[Self.endpointsAnnotation] = [endpoints.api, endpoints.tunnel]
                .map { $0.map(\.description).joined(separator: ",") }.joined(separator: " ")
            annotations[Self.unconfirmedAnnotation] = unconfirmed.joined(separator: ",")
        }
        return Lease(
            metadata: ObjectMeta(
                name: Self.name(of: id), namespace: namespace, labels: [Self.label: "true"], annotations: annotations),
            spec: LeaseSpec(holderIdentity: id))
    }

    static func name(of id: String) -> String { "tunnel-agents-\(id)" }
}
