import Glibc
import Logging
import NodeAgent
import ServiceLifecycle
import Tunnel
import UnixSignals

@main
struct NestboxNode {
    static func main() async {
        ProcessMemory.tune()
        ProcessDescriptors.raiseLimit()
        guard let command = NodeCommand(arguments: Array(CommandLine.arguments.dropFirst())) else {
            say(NodeCommand.usage, to: STDERR_FILENO)
            exit(64)
        }
        do {
            try await perform(command)
        } catch {
            say("nestbox-node: \(error)\n", to: STDERR_FILENO)
            exit(1)
        }
    }

    private static func perform(_ command: NodeCommand) async throws {
        switch command {
        case .version:
            say("\(Release.version)\n", to: STDOUT_FILENO)
        case .help:
            say(NodeCommand.usage, to: STDOUT_FILENO)
        case .run(let path):
            let configuration = try NodeProgram.configuration(path)
            let logger = makeLogger(configuration.logLevel)
            let services = try await NodeProgram.services(configuration, logger: logger)
            var group = ServiceGroupConfiguration(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            group.maximumGracefulShutdownDuration = .seconds(10)
            try await ServiceGroup(configuration: group).run()
        case .install(let file, let place):
            try await NodeProgram.install(file, at: place)
        case .cleanup(let path):
            try await NodeProgram.cleanUp(try NodeProgram.configuration(path), logger: makeLogger("info"))
        }
    }

    private static func makeLogger(_ level: String) -> Logger {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "nestbox-node")
        logger.logLevel = Logger.Level(rawValue: level) ?? .info
        return logger
    }

    private static func say(_ text: String, to descriptor: Int32) {
        _ = Array(text.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }
}
