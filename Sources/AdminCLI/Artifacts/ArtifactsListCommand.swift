import ArgumentParser
import ArtifactStore

/// `nestbox artifacts list`
struct ArtifactsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "What is in the store.",
        discussion: "Examples:\n  nestbox artifacts list\n  nestbox artifacts list --verify")

    @Flag(help: "Read every file and compare it with its checksum.")
    var verify = false

    @OptionGroup var options: ArtifactOptions

    func run() async throws {
        let store = options.store()
        let items = try await store.list()
        let rows = items.map { [$0.kind.rawValue, $0.name, $0.architecture.rawValue, "\($0.size / 1_000_000) MB", $0.origin] }
        Terminal.write(Rendering.table([["KIND", "NAME", "ARCH", "SIZE", "ORIGIN"]] + rows))
        guard verify else { return }
        var damaged: [String] = []
        for item in items { damaged += try await store.damagedFiles(of: item) }
        guard damaged.isEmpty else {
            throw ArtifactError(.checksumMismatch, "not what the checksums say; remove and get again:\n" + damaged.joined(separator: "\n"))
        }
        Terminal.writeLine("all files are what their checksums say")
    }
}
