import Hummingbird
import KubernetesAPI
import Logging
import ServiceLifecycle
import Tunnel

/// `/healthz`, `/readyz`, `/metrics`, and `/agents`: which node follows which endpoints.
public struct HealthServer: ServiceLifecycle.Service {
    private let host: String
    private let port: Int
    private let server: TunnelServer
    private let isReady: @Sendable () -> Bool
    private let logger: Logger

    public init(
        host: String, port: Int, server: TunnelServer, logger: Logger, isReady: @escaping @Sendable () -> Bool
    ) {
        self.host = host
        self.port = port
        self.server = server
        self.isReady = isReady
        self.logger = logger
    }

    public func run() async throws {
        let router = Router()
        let (server, isReady) = (server, isReady)
        router.get("healthz") { _, _ in "ok\n" }
        router.get("readyz") { _, _ in
            isReady()
                ? Response(status: .ok, body: .init(byteBuffer: .init(string: "ok\n")))
                : Response(status: .serviceUnavailable, body: .init(byteBuffer: .init(string: "not ready\n")))
        }
        router.get("metrics") { _, _ in TunnelMetrics.render(server) }
        router.get("agents") { _, _ in AgentList.text(server.agents) }
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        try await Application(
            router: router, configuration: .init(address: .hostname(host, port: port)), logger: logger
        ).run()
    }
}

/// The connected agents, for a person: which node follows which endpoints, and what is wrong with those that do not.
enum AgentList {
    static func text(_ agents: [ConnectedAgent]) -> String {
        let list = agents.map { agent -> JSONValue in
            var fields: [String: JSONValue] = ["node": .string(agent.node)]
            if let state = agent.confirmed {
                fields["confirmed"] = [
                    "api": .array(state.apiEndpoints.map { .string("\($0)") }),
                    "tunnel": .array(state.tunnelEndpoints.map { .string("\($0)") }),
                ]
            }
            if let failure = agent.failure { fields["failure"] = .string(failure) }
            return .object(fields)
        }
        return JSONValue.array(list).prettyText + "\n"
    }
}
