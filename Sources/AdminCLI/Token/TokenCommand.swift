import ArgumentParser

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Join machines that the operator cannot reach.",
        discussion: """
            Examples:
              nestbox token create branch-7 --nodepool branches --address 10.7.0.4
              nestbox token command branch-7
              nestbox token kubeadm demo
            """,
        subcommands: [TokenCreate.self, TokenPrint.self, TokenKubeadm.self])
}
