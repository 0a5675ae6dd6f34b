import Hummingbird
import Logging
import PrometheusMetrics
import ServiceLifecycle
import Tunnel

/// `/healthz`, `/readyz` and `/metrics` of an agent that runs alone, where upstream's has them, with upstream's names for what
/// people's dashboards look at.
public struct KonnectivityAgentHealth: ServiceLifecycle.Service {
    private let host: String
    private let port: Int
    private let agent: KonnectivityAgent
    private let logger: Logger

    public init(host: String, port: Int, agent: KonnectivityAgent, logger: Logger) {
        self.host = host
        self.port = port
        self.agent = agent
        self.logger = logger
    }

    public func run() async throws {
        let router = Router()
        let agent = agent
        router.get("healthz") { _, _ in "ok" }
        router.get("readyz") { _, _ in
            agent.connectedServers > 0
                ? Response(status: .ok, body: .init(byteBuffer: .init(string: "ok")))
                : Response(status: .internalServerError, body: .init(byteBuffer: .init(string: "no proxy server is connected\n")))
        }
        router.get("metrics") { _, _ in Self.metrics(agent) }
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        try await Application(
            router: router, configuration: .init(address: .hostname(host.isEmpty ? "0.0.0.0" : host, port: port)), logger: logger
        ).run()
    }

    private static func metrics(_ agent: KonnectivityAgent) -> String {
        let registry = MetricsRegistry()
        let prefix = "konnectivity_network_proxy_agent_"
        registry.gauge(name: prefix + "open_server_connections", help: "Proxy servers that are connected.")
            .set(Double(agent.connectedServers))
        registry.gauge(name: prefix + "known_server_count", help: "Proxy servers that there are, as the last of them said.")
            .set(Double(agent.knownServerCount))
        registry.gauge(name: prefix + "open_endpoint_connections", help: "Connections to targets that are open.")
            .set(Double(agent.openConnections))
        return registry.render() + agent.counters.render() + MetricsRegistry.shared.render()
    }
}
