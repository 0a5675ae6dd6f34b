public import ArgumentParser

/// `nestbox`: verbs for the kinds (create, get, describe, scale, delete), nouns for what is around them (lab, artifacts).
public struct NestboxCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "nestbox",
        abstract: "Tenants' Kubernetes clusters: control planes as pods of this cluster, nodes on machines of their own.",
        discussion: """
            Examples:
              nestbox create cluster demo --version v1.20.2
              nestbox create machine worker-1 --address 192.0.2.10 --ssh-key ~/.ssh/id_ed25519
              nestbox create nodepool workers --cluster demo --replicas 2
              nestbox kubeconfig demo -o demo.kubeconfig
              nestbox scale nodepool workers --replicas 3

            Data goes to stdout, everything else to stderr.
            Exit codes: 0 done, 1 failed, 64 wrong usage, 124 a --wait that timed out, 130 a --wait that Ctrl-C ended. What was \
            waited for goes on in the cluster.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Clusters, node pools and machines",
                subcommands: [Create.self, Get.self, Describe.self, Scale.self, Rollout.self, Upgrade.self, Delete.self]),
            CommandGroup(
                name: "Care of clusters",
                subcommands: [CertificatesCommand.self, Pause.self, Resume.self, Protect.self, Unprotect.self]),
            CommandGroup(name: "Machines by hand", subcommands: [MachineCommand.self, TokenCommand.self]),
            CommandGroup(name: "Access", subcommands: [KubeconfigCommand.self]),
            CommandGroup(name: "When something is wrong", subcommands: [DebugCommand.self]),
            CommandGroup(name: "This computer", subcommands: [LabCommand.self, ArtifactsCommand.self]),
            CommandGroup(name: "Nestbox itself", subcommands: [Uninstall.self, Version.self, Completion.self]),
        ])

    public init() {}

    /// As ArgumentParser's own, but for what failures of commands look like.
    public static func main() async {
        do {
            var command = try await asyncParseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard let failure = CommandFailure.presentation(of: error) else { exit(withError: error) }
            Terminal.say(failure.text)
            exit(withError: failure.exitCode)
        }
    }
}
