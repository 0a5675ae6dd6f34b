import PrometheusMetrics
import Tunnel

/// A tunnel server's counts as Prometheus text.
public struct TunnelMetrics: Sendable {
    private let server: TunnelServer

    public init(server: TunnelServer) { self.server = server }

    public func render() -> String {
        // What the tunnel counts by itself is put into a registry of this scrape's, so that nothing runs between scrapes.
        let registry = MetricsRegistry()
        let counters = server.counters
        registry.gauge(name: "nestbox_tunnel_agents", help: "Agents that are connected.").set(Double(server.agents.count))
        registry.gauge(name: "nestbox_tunnel_connections", help: "Tunnelled connections that are open.")
            .set(Double(counters.connectionsOpen.current))
        registry.gauge(name: "nestbox_tunnel_dials_pending", help: "Dials that are under way.").set(Double(counters.dialsPending.current))
        let totals: [(String, String, [String: String], Int)] = [
            ("nestbox_tunnel_agent_connects_total", "Agents that connected.", ["result": "accepted"], counters.agentsAccepted.current),
            ("nestbox_tunnel_agent_connects_total", "Agents that connected.", ["result": "refused"], counters.agentsRefused.current),
            ("nestbox_tunnel_dials_total", "Targets dialled.", ["result": "connected"], counters.dialsSucceeded.current),
            ("nestbox_tunnel_dials_total", "Targets dialled.", ["result": "failed"], counters.dialsFailed.current),
            ("nestbox_tunnel_dials_total", "Targets dialled.", ["result": "abandoned"], counters.dialsAbandoned.current),
            ("nestbox_tunnel_requests_refused_total", "Front connections without a good CONNECT.", [:], counters.frontsRefused.current),
            ("nestbox_tunnel_bytes_total", "Bytes carried.", ["direction": "to_node"], counters.bytesToNodes.current),
            ("nestbox_tunnel_bytes_total", "Bytes carried.", ["direction": "from_node"], counters.bytesFromNodes.current),
        ]
        for (name, help, labels, value) in totals {
            registry.counter(name: name, help: help, labels: labels).increment(by: Double(value))
        }
        return registry.render() + MetricsRegistry.shared.render()
    }
}
