import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct KubeconfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig", abstract: "Download a cluster's admin kubeconfig.",
        discussion: """
            Examples:
              nestbox kubeconfig demo > demo.kubeconfig
              nestbox kubeconfig demo -o demo.kubeconfig && kubectl --kubeconfig demo.kubeconfig get nodes
              nestbox kubeconfig demo --merge
              nestbox kubeconfig demo --renew -o demo.kubeconfig
            """)

    @Argument(help: "The cluster's name.", completion: NameCompletion.names(of: HostedCluster.self)) var name: String
    @Option(
        name: [.customShort("o"), .customLong("output")], help: ArgumentHelp("Write it to this file, mode 0600.", valueName: "file"),
        completion: .file())
    var file: String?
    @Flag(help: "Merge it into ~/.kube/config (or $KUBECONFIG) and make it the current context.") var merge = false
    @Flag(help: "Have a new one made first, with its whole life before it; the one before stays good until it ends.") var renew = false
    @OptionGroup var connection: Connection

    func validate() throws {
        guard file == nil || !merge else { throw ValidationError("give --output FILE or --merge, not both") }
    }

    func run() async throws {
        let text = try await connection.run { client, namespace in
            if renew { try await renewed(client, namespace) }
            return try await Self.download(name, client, namespace)
        }
        if merge {
            let result = try KubeconfigMerge.merge(text)
            let back = result.before.map { "; back to the one before: kubectl config use-context \($0)" } ?? ""
            Terminal.say("merged into \(result.path), whose current context is now \(result.current)\(back)")
        } else if let file {
            try KubeconfigMerge.write(text, to: file)
            Terminal.say("wrote \(file)")
        } else {
            Terminal.write(text)
        }
    }

    private func renewed(_ client: KubernetesClient, _ namespace: String) async throws {
        let asking = RenewalAsking(client: client, name: name, namespace: namespace, limit: WaitLimit(seconds: 60))
        let id = try await asking.send([CertificateRenewalRequest.kubeconfig])
        try await asking.wait(for: id, toBe: .completed)
    }

    static func download(_ name: String, _ client: KubernetesClient, _ namespace: String) async throws -> String {
        let cluster = try await client.get(HostedCluster.self, name, namespace: namespace)
        guard let secretName = cluster.status?.kubeconfigSecret else {
            let conditions = cluster.conditions ?? []
            if let missing = conditions.missing("Available") {
                throw CommandFailure("cluster \(name) has no kubeconfig yet (\(missing)): try again when it is Available")
            }
            throw CommandFailure("cluster \(name) has no kubeconfig (\(conditions.missing("KubeconfigAvailable") ?? "it is being made"))")
        }
        let secret = try await client.get(Secret.self, secretName, namespace: namespace)
        guard let bytes = secret.data?["kubeconfig"]?.bytes, let text = String(bytes: bytes, encoding: .utf8) else {
            throw CommandFailure("Secret \(namespace)/\(secretName) holds no kubeconfig: is it the operator's?")
        }
        return text
    }
}
