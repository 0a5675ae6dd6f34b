import ArgumentParser
import ArtifactStore
import KubernetesVersions

/// `nestbox artifacts remove VERSION...`
struct ArtifactsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove Kubernetes releases from the store.",
        discussion: "Examples:\n  nestbox artifacts remove v1.20.2\n  nestbox artifacts remove --build-cache")

    @Argument(help: "The releases to remove.")
    var versions: [KubernetesVersion] = []

    @Flag(help: "Remove what is kept only to make the next build quick.")
    var buildCache = false

    @OptionGroup var options: ArtifactOptions

    func validate() throws {
        guard !versions.isEmpty || buildCache else { throw ValidationError("name a release, or --build-cache") }
    }

    func run() async throws {
        let store = options.store()
        for version in versions {
            try await store.removeKubernetes(version, architecture: options.arch)
            Terminal.writeLine("kubernetes \(version) removed")
        }
        if buildCache {
            try await store.removeBuildCache()
            Terminal.writeLine("build cache removed")
        }
    }
}
