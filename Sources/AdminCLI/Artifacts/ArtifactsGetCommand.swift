import ArgumentParser
import ArtifactStore
import KubernetesVersions

/// `nestbox artifacts get [VERSION]`: brings a release, and what machines need beside it.
struct ArtifactsGetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Bring a Kubernetes release into the store, with etcd, pause and the tools of a worker machine.",
        discussion: """
            Sources, in order: the store itself; a folder that "nestbox artifacts export" wrote, served over HTTP \
            (NESTBOX_ARTIFACTS_URL); the official release, its checksums verified; Debian's source package.

            Examples:
              nestbox artifacts get v1.20.2
              nestbox artifacts get v1.36.2 --arch arm64 --kubernetes-only
            """)

    @Argument(help: "A release, such as v1.20.2 (default: the newest that a source can give).")
    var version: KubernetesVersion?

    @Option(help: "Build this other release's source and let it report VERSION: a stand-in for tests of upgrades.")
    var stampOf: KubernetesVersion?

    @Flag(help: "Only the release itself.")
    var kubernetesOnly = false

    @OptionGroup var options: ArtifactOptions

    func run() async throws {
        let store = options.store()
        let progress = ProgressLines().artifacts
        let version: KubernetesVersion
        if let named = self.version { version = named } else { version = try await store.defaultVersion() }
        if !kubernetesOnly {
            let etcd = try await store.etcd(architecture: options.arch, progress: progress)
            let tools = try await store.nodeTools(architecture: options.arch, progress: progress)
            let pause = try await store.pauseImage(architecture: options.arch, progress: progress)
            let busybox = try await store.busyboxImage(architecture: options.arch, progress: progress)
            Terminal.writeLine("etcd \(etcd.version)\t\(etcd.directory)")
            Terminal.writeLine("node tools \(tools.recipe)\t\(tools.tarball.path)")
            for image in [pause, busybox] { Terminal.writeLine("\(image.reference)\t\(image.path)") }
        }
        let release = try await store.kubernetes(version, architecture: options.arch, stampOf: stampOf, progress: progress)
        Terminal.writeLine("kubernetes \(release.version)\t\(release.directory)")
    }
}
