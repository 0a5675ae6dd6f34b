import ArgumentParser
import ArtifactStore
import KubernetesVersions

/// What every verb of `nestbox artifacts` takes.
struct ArtifactOptions: ParsableArguments {
    @Option(help: "The store's folder (default: NESTBOX_CACHE, or ~/.cache/nestbox).", completion: .directory)
    var cache: String?

    @Option(help: "amd64 or arm64 (default: this computer's).")
    var arch: Architecture = .current

    func store() -> ArtifactStore {
        ArtifactStore(root: cache ?? ArtifactStore.defaultRoot, logger: CommandLog.logger)
    }
}
