import ArgumentParser
import KubernetesVersions
import Lab

/// `nestbox lab up`: from any state to a lab that is up.
struct LabUp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up",
        abstract: "Bring a lab up, or what is there of it to what it should be.",
        discussion: """
            May be run again at any time: after an interruption, after a crash, with another number of machines.

            Examples:
              sudo nestbox lab up
              sudo nestbox lab up --name test --machines 3 --version v1.20.2
              sudo nestbox lab up --name spread --machines 2 --host-nodes 3
            """)

    @OptionGroup var options: LabOptions

    @Option(help: "How many worker machines (default: as many as there are, or 2).")
    var machines: Int?

    @Option(help: "How many nodes the host has, 1 to 3: machines of its own beside the first (default: as many as there are, or 1).")
    var hostNodes: Int?

    @Option(help: "The host cluster's Kubernetes version (default: the running one's, or the newest that a source can give).")
    var version: KubernetesVersion?

    @Option(
        help: ArgumentHelp(
            "A further version that tenants may run (repeatable): the host gets its control planes' images.", valueName: "version"))
    var tenantVersion: [KubernetesVersion] = []

    func run() async throws {
        let lab = try options.lab(version: version, progress: ProgressLines().lab)
        let images = try await OwnImages(folder: try OwnImages.folderOfThisProgram(), cache: options.root).archives {
            Terminal.say("   \($0)")
        }
        let state = try await lab.up(
            machines: machines, hostNodes: hostNodes, tenants: tenantVersion.isEmpty ? nil : tenantVersion, images: images)
        Terminal.say("The lab \"\(state.name)\" is up: Kubernetes \(state.kubernetesVersion) at https://\(state.hostAddress):6443")
        for machine in state.hostNodes + state.machines {
            Terminal.say("  \(machine.name): ssh -i \(state.sshKeyPath) \(machine.user)@\(machine.address)")
        }
        Terminal.say("Use it with: eval \"$(nestbox lab env\(options.name == "demo" ? "" : " --name \(options.name)"))\"")
    }
}
