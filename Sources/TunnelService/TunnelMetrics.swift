import PrometheusMetrics
import Tunnel

/// What a tunnel server says of itself as Prometheus text.
enum TunnelMetrics {
    static func render(_ server: TunnelServer) -> String {
        let registry = MetricsRegistry()
        registry.gauge(name: "nestbox_tunnel_agents", help: "Agents that are connected.").set(Double(server.agents.count))
        return registry.render() + server.counters.render() + MetricsRegistry.shared.render()
    }
}
