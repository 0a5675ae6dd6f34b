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
        let proxies = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].compactMap { Terminal.environment($0) }
        let direct = Terminal.environment("NO_PROXY") ?? Terminal.environment("no_proxy") ?? ""
        Terminal.write(
            Self.lines(
                try await options.state(), path: Terminal.environment("PATH") ?? "", withoutProxy: proxies.isEmpty ? nil : direct))
    }

    /// Values in single quotes, as every shell reads them; PATH written out, so that reading the lines needs no shell.
    /// - Parameter withoutProxy: what is reached past a proxy, where there is one: the lab is among it.
    static func lines(_ state: LabState, path: String, withoutProxy: String? = nil) -> String {
        let folders = [state.binPath] + path.split(separator: ":").map(String.init).filter { $0 != state.binPath }
        return """
            export KUBECONFIG='\(state.hostKubeconfigPath)'
            export NESTBOX_LAB_SSH_KEY='\(state.sshKeyPath)'
            export PATH='\(folders.joined(separator: ":"))'

            """
                + (withoutProxy.map {
                    "export NO_PROXY='\(([state.hostAddress] + state.hostNodes.map(\.address) + ["127.0.0.1"] + ($0.isEmpty ? [] : [$0])).joined(separator: ","))'\n"
                } ?? "")
    }
}
