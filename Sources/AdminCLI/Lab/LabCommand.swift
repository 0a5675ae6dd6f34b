import ArgumentParser
import ArtifactStore
import KubernetesVersions
import Lab
import Logging

/// `nestbox lab`: a whole provider on this computer, to try things and to test.
public struct LabCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "A host cluster and worker machines on this computer.",
        discussion: """
            Everything of a lab lives in namespaces of its own and in one folder of the cache; "down" leaves nothing but the \
            cache. Several labs with different names live side by side.

            Examples:
              sudo nestbox lab up --machines 3
              eval "$(nestbox lab env)" && kubectl get nodes
              nestbox lab machines
              sudo nestbox lab down
            """,
        subcommands: [
            LabUp.self, LabDown.self, LabStatusCommand.self, LabEnv.self, LabMachines.self, LabExec.self, LabSupervise.self,
        ])

    public init() {}
}

/// What every verb of `nestbox lab` takes.
struct LabOptions: ParsableArguments {
    @Option(help: "The lab's name.")
    var name = "demo"

    @Option(help: "The store's folder (default: NESTBOX_CACHE, or ~/.cache/nestbox).", completion: .directory)
    var cache: String?

    var root: String { cache ?? ArtifactStore.defaultRoot }

    func lab(version: KubernetesVersion? = nil, progress: @escaping LabProgress = { _ in }) throws -> Lab {
        let store = ArtifactStore(root: root, logger: CommandLog.logger)
        return try Lab(
            name: name, artifacts: store, kubernetesVersion: version, logger: CommandLog.logger, progress: progress)
    }

    /// The lab's whereabouts; an error when there is none.
    func state() async throws -> LabState {
        guard let state = try await lab().current() else {
            throw CommandFailure("there is no lab \"\(name)\": bring it up with \"nestbox lab up --name \(name)\"")
        }
        return state
    }
}
