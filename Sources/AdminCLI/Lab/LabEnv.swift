import ArgumentParser
import Lab

/// `eval "$(nestbox lab env)"`: kubectl and nestbox talk to the lab's host.
struct LabEnv: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "env",
        abstract: "Print the shell's settings for a lab: KUBECONFIG, NESTBOX_LAB_SSH_KEY, and kubectl's folder in PATH.",
        discussion: "Example:\n  eval \"$(nestbox lab env)\" && kubectl get nodes")

    @OptionGroup var options: LabOptions

    func run() async throws {
        Terminal.write(Self.lines(try await options.state(), path: Terminal.environment("PATH") ?? ""))
    }

    /// Values in single quotes, as every shell reads them; PATH written out, so that reading the lines needs no shell.
    static func lines(_ state: LabState, path: String) -> String {
        let folders = [state.binPath] + path.split(separator: ":").map(String.init).filter { $0 != state.binPath }
        return """
            export KUBECONFIG='\(state.hostKubeconfigPath)'
            export NESTBOX_LAB_SSH_KEY='\(state.sshKeyPath)'
            export PATH='\(folders.joined(separator: ":"))'

            """
    }
}
