import ArgumentParser

struct DebugCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "debug", abstract: "Gather what it takes to find out what is wrong.",
        discussion: "Example:\n  nestbox debug dump cluster demo", subcommands: [DebugDump.self])
}
