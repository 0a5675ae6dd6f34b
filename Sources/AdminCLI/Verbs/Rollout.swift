import ArgumentParser

struct Rollout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the rollout of a pool's nodes, hold it, let it go on, or take it back.",
        discussion: """
            Examples:
              nestbox rollout status nodepool workers
              nestbox rollout undo nodepool workers
            """,
        subcommands: [RolloutStatus.self, RolloutHistory.self, RolloutPause.self, RolloutResume.self, RolloutUndo.self])
}

struct RolloutStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show how a rollout goes, until it is over.",
        discussion: "Example:\n  nestbox rollout status nodepool workers", subcommands: [RolloutStatusOfNodePool.self])
}

struct RolloutHistory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Show the last templates of the nodes.",
        discussion: "Example:\n  nestbox rollout history nodepool workers", subcommands: [RolloutHistoryOfNodePool.self])
}

struct RolloutPause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Leave nodes of older templates as they are.",
        discussion: "Example:\n  nestbox rollout pause nodepool workers", subcommands: [RolloutPauseOfNodePool.self])
}

struct RolloutResume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Go on with a rollout that was paused, or that a machine's failure has stopped.",
        discussion: "Example:\n  nestbox rollout resume nodepool workers", subcommands: [RolloutResumeOfNodePool.self])
}

struct RolloutUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo", abstract: "Go back to an earlier template of the nodes.",
        discussion: "Example:\n  nestbox rollout undo nodepool workers", subcommands: [RolloutUndoOfNodePool.self])
}
