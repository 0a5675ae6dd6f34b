import Hummingbird
import Logging
import PrometheusMetrics
import ServiceLifecycle
import Tunnel

/// `/healthz`, `/readyz` and `/metrics` of an agent that runs alone, where upstream's has them, with upstream's names for what
/// people's dashboards look at.
public struct StandaloneAgentHealth: ServiceLifecycle.Service {
    private let host: String
    private let port: Int
    private let agent: StandaloneAgent
    private let logger: Logger

    public init(host: String, port: Int, agent: StandaloneAgent, logger: Logger) {
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

    private static func metrics(_ agent: StandaloneAgent) -> String {
        let registry = MetricsRegistry()
        let prefix = "konnectivity_network_proxy_agent_"
        registry.gauge(name: prefix + "open_server_connections", help: "Current number of open server connections.")
            .set(Double(agent.connectedServers))
        registry.gauge(name: prefix + "known_server_count", help: "Current number of servers agent is trying to connect to.")
            .set(Double(agent.knownServerCount))
        registry.gauge(name: prefix + "open_endpoint_connections", help: "Current number of open endpoint connections.")
            .set(Double(agent.openConnections))
        let timeouts = agent.counters.dialsTimedOut.current
        for (reason, count) in [("timeout", timeouts), ("unknown", agent.counters.dialsFailed.current - timeouts)] where count > 0 {
            registry.counter(
                name: prefix + "endpoint_dial_failure_total",
                help: "Number of failures dialing the remote endpoint, by reason (example: timeout).", labels: ["reason": reason]
            ).increment(by: Double(count))
        }
        return registry.render() + agent.counters.render() + MetricsRegistry.shared.render()
    }
}
