import ArgumentParser
import Logging
import Tunnel

@main
struct NestboxTunnel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nestbox-tunnel", abstract: "Carries a control plane's connections to its nodes.", version: "v0.2.0",
        subcommands: [Server.self, Agent.self])

    static func main() async {
        ProcessMemory.tune()
        ProcessDescriptors.raiseLimit()
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        await main(GoArguments.translated(CommandLine.arguments.dropFirst()))
    }
}

extension Logger {
    init(level: Level) {
        self.init(label: "nestbox-tunnel")
        logLevel = level
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
