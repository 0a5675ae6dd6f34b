import ArgumentParser
import Lab
import Logging
import UnixSignals

/// Runs inside a lab's namespaces; started by `nestbox lab up`, not by people.
struct LabSupervise: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "supervise", abstract: "Run what belongs to a lab, in its namespaces.", shouldDisplay: false)

    @Option(help: "The lab's folder.")
    var state: String

    func run() async throws {
        let logger = Logger(label: "nestbox.lab") { StreamLogHandler.standardError(label: $0) }
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sighup)
        try await Supervisor(state: state, logger: logger)
            .run(orders: signals.map { $0 == .sighup ? Supervisor.Order.reload : .stop })
    }
}
