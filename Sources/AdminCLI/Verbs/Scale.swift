import ArgumentParser

struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change how many nodes a pool has.",
        discussion: "Example:\n  nestbox scale nodepool workers --replicas 3",
        subcommands: [ScaleNodePool.self])
}
