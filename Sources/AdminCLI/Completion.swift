import ArgumentParser

struct Completion: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print what makes a shell complete commands, and the names of what is in the host cluster.",
        discussion: """
            Examples:
              source <(nestbox completion bash)
              nestbox completion zsh > "${fpath[1]}/_nestbox"
              nestbox completion fish > ~/.config/fish/completions/nestbox.fish
            """)

    @Argument(help: "bash, zsh or fish.") var shell: Shell

    enum Shell: String, ExpressibleByArgument, CaseIterable { case bash, zsh, fish }

    func run() throws {
        let shell: CompletionShell =
            switch shell {
            case .bash: .bash
            case .zsh: .zsh
            case .fish: .fish
            }
        Terminal.writeLine(NestboxCommand.completionScript(for: shell))
    }
}
