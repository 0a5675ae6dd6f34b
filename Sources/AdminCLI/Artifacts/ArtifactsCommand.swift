import ArgumentParser

/// `nestbox artifacts`: the store of Kubernetes binaries, images and machine tools on this computer.
public struct ArtifactsCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "artifacts",
        abstract: "The store of Kubernetes binaries, images and machine tools on this computer.",
        discussion: """
            Examples:
              nestbox artifacts get v1.20.2
              nestbox artifacts list --verify
            """,
        subcommands: [
            ArtifactsListCommand.self, ArtifactsGetCommand.self, ArtifactsImportCommand.self, ArtifactsExportCommand.self,
            ArtifactsRemoveCommand.self,
        ])

    public init() {}
}
