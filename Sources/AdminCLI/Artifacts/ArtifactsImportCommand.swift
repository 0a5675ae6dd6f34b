import ArgumentParser
import ArtifactStore
import KubernetesVersions

/// `nestbox artifacts import VERSION FOLDER`
struct ArtifactsImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Take a Kubernetes release from a folder of binaries, each of which must report that version.",
        discussion: """
            A static etcd in the folder is taken along, and serves in labs as the etcd image that the release asks for.

            Example:
              nestbox artifacts import v1.36.2 ./kubernetes/server/bin
            """)

    @Argument(help: "The release, such as v1.36.2.")
    var version: KubernetesVersion

    @Argument(help: "A folder with kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy, kubectl and kubeadm.")
    var folder: String

    @OptionGroup var options: ArtifactOptions

    func run() async throws {
        let release = try await options.store().importKubernetes(
            version, from: folder, architecture: options.arch, progress: ProgressLines().artifacts)
        Terminal.writeLine("kubernetes \(release.version)\t\(release.directory)")
    }
}
