import ArgumentParser
import ArtifactStore
import KubernetesVersions
import Logging

/// What every verb of `nestbox artifacts` takes.
struct ArtifactOptions: ParsableArguments {
    @Option(help: "The store's folder (default: NESTBOX_CACHE, or ~/.cache/nestbox).")
    var cache: String?

    @Option(help: "amd64 or arm64 (default: this computer's).")
    var arch: Architecture = .current

    func store() -> ArtifactStore {
        var logger = Logger(label: "nestbox.artifacts") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        return ArtifactStore(root: cache ?? ArtifactStore.defaultRoot, logger: logger)
    }
}

extension Architecture: ExpressibleByArgument {}

extension KubernetesVersion: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
