import ArgumentParser
import NestboxAPI

/// `nestbox machine VERB`: what is done with one server.
struct MachineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Do something with a machine.",
        discussion: "Example:\n  nestbox machine reimaged worker-1",
        subcommands: [MachineReimaged.self])
}
