import Logging
import ServiceLifecycle

/// Puts routes back that something on the machine took away, such as a restart of its network.
struct RouteKeeper: Service {
    let keeper: NodeStateKeeper
    let logger: Logger
    var interval = Duration.seconds(60)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var lastProblem: String?
            while !Task.isCancelled {
                do {
                    try await keeper.applyRoutes()
                    lastProblem = nil
                } catch {
                    if lastProblem != "\(error)" { logger.warning("pod routes are not complete", metadata: ["error": "\(error)"]) }
                    lastProblem = "\(error)"
                }
                try? await Task.sleep(for: interval)
            }
        }
    }
}
