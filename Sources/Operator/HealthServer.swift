import Hummingbird
public import Logging
import PrometheusMetrics
public import ServiceLifecycle

/// `/healthz`, `/readyz` and `/metrics`. A replica that does not lead is healthy and ready: it stands by.
public struct HealthServer: Service {
    let port: Int
    let logger: Logger

    public init(port: Int, logger: Logger) {
        self.port = port
        self.logger = logger
    }

    public func run() async throws {
        let router = Router()
        router.get("healthz") { _, _ in "ok" }
        router.get("readyz") { _, _ in "ok" }
        router.get("metrics") { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: .init(string: MetricsRegistry.shared.render())))
        }
        var logger = logger
        logger.logLevel = .warning
        try await Application(
            router: router, configuration: .init(address: .hostname("0.0.0.0", port: port)), logger: logger
        ).run()
    }
}
