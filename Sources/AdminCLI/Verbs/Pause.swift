import ArgumentParser

struct Pause: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Have the operator leave a cluster as it is for a while.",
        discussion: "Example:\n  nestbox pause cluster demo --for 2h --reason \"the host's storage is being moved\"",
        subcommands: [PauseCluster.self])
}

struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "End a pause before its time.", discussion: "Example:\n  nestbox resume cluster demo", subcommands: [ResumeCluster.self])
}

struct Protect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Guard a cluster against being deleted by mistake.", discussion: "Example:\n  nestbox protect cluster demo",
        subcommands: [ProtectCluster.self])
}

struct Unprotect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Let a cluster be deleted again.", discussion: "Example:\n  nestbox unprotect cluster demo",
        subcommands: [UnprotectCluster.self])
}
