import ArgumentParser

struct CertificatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificates", abstract: "Show a cluster's certificates and when they end, and have them renewed.",
        discussion: """
            The operator renews each by itself with a third of its life left. To renew one now is asked of it by the HostedCluster's annotation \
            nestbox.dev/renew-certificates, and it answers in the status: this computer sees no key.

            Examples:
              nestbox certificates list demo
              nestbox certificates renew demo --wait
              nestbox certificates renew demo apiserver kubeconfig
            """,
        subcommands: [CertificatesList.self, CertificatesRenew.self], aliases: ["certs"])
}
