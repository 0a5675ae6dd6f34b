import ArgumentParser
import ArtifactStore
import KubernetesVersions

/// `nestbox artifacts export FOLDER [VERSION...]`
struct ArtifactsExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a copy of the store that any HTTP server can serve to operators (NESTBOX_ARTIFACTS_URL).",
        discussion: "Example:\n  nestbox artifacts export /srv/nestbox v1.20.2")

    @Argument(help: "The folder to write; what it has already is left as it is.")
    var folder: String

    @Argument(help: "The releases to write (default: all in the store), with everything that belongs to no release.")
    var versions: [KubernetesVersion] = []

    @OptionGroup var options: ArtifactOptions

    func run() async throws {
        let written = try await options.store().export(
            to: folder, versions: versions.isEmpty ? nil : versions, progress: ProgressLines().artifacts)
        for item in written { Terminal.writeLine("\(item.kind.rawValue) \(item.name) \(item.architecture.rawValue)") }
    }
}
