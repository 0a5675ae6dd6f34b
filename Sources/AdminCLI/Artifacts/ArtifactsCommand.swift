import ArgumentParser

/// `nestbox artifacts`: the store of Kubernetes binaries, images and machine tools on this computer.
public struct ArtifactsCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "artifacts",
        abstract: "The store of Kubernetes binaries, images and machine tools on this computer.",
        subcommands: [
            ArtifactsListCommand.self, ArtifactsGetCommand.self, ArtifactsImportCommand.self, ArtifactsExportCommand.self,
            ArtifactsRemoveCommand.self,
        ])

    public init() {}
}
