import ControllerRuntime
import Logging
import ServiceLifecycle

/// Runs controllers beside the services they need, until one of them all fails or ends unasked: then all are cancelled, and that
/// is thrown.
///
/// On a graceful shutdown the controllers finish what they have under way before anything they need is shut down. Nothing here
/// bounds that: whoever asks for the shutdown cancels what takes too long.
func runTogether(_ controllers: [Controller], beside services: [any Service], logger: Logger) async throws {
    // The group shuts its services down from the last to the first, each after the one behind it has ended.
    try await ServiceGroup(services: services + [Controllers(controllers: controllers)], logger: logger).run()
}

/// All at once: one that is slow to end must not leave the others to begin something new.
private struct Controllers: Service {
    let controllers: [Controller]

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for controller in controllers { group.addTask { try await controller.run() } }
            defer { group.cancelAll() }
            while try await group.next() != nil {
                guard Task.isShuttingDownGracefully else { return }
            }
        }
    }
}
