import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct Kubeconfig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Download a cluster's admin kubeconfig.",
        discussion: """
            Examples:
              nestbox kubeconfig demo > demo.kubeconfig
              nestbox kubeconfig demo -o demo.kubeconfig && kubectl --kubeconfig demo.kubeconfig get nodes
              nestbox kubeconfig demo --merge
            """)

    @Argument(help: "The cluster's name.") var name: String
    @Option(name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Write it to this file, mode 0600.", valueName: "file"))
    var file: String?
    @Flag(help: "Merge it into ~/.kube/config (or $KUBECONFIG) and make it the current context.") var merge = false
    @OptionGroup var connection: Connection

    func run() async throws {
        let text = try await connection.run { client, namespace in
            let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
            guard let secretName = cluster.status?.kubeconfigSecret else {
                throw CommandFailure(
                    "cluster \(name) has no kubeconfig yet: \((cluster.status?.conditions ?? []).missing("Available") ?? "it is being made"); try again when it is Available"
                )
            }
            let secret = try await client.get(Secret.self, secretName, namespace: namespace)
            guard let bytes = secret.data?["kubeconfig"]?.bytes, let text = String(bytes: bytes, encoding: .utf8) else {
                throw CommandFailure("Secret \(namespace)/\(secretName) holds no kubeconfig")
            }
            return text
        }
        if merge {
            let path = try KubeconfigMerge.merge(text)
            Terminal.say("merged into \(path)")
        } else if let file {
            try KubeconfigMerge.write(text, to: file)
            Terminal.say("wrote \(file)")
        } else {
            Terminal.write(text)
        }
    }
}
