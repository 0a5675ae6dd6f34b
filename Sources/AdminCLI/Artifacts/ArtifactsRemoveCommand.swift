import ArgumentParser
import ArtifactStore
import KubernetesVersions

/// `nestbox artifacts remove VERSION...`
struct ArtifactsRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove Kubernetes releases from the store.")

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
            print("kubernetes \(version) removed")
        }
        if buildCache {
            try await store.removeBuildCache()
            print("build cache removed")
        }
    }
}
