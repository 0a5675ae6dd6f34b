import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct DeleteCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Delete a cluster and all that it has.", discussion: "Example:\n  nestbox delete cluster NAME",
        aliases: ["hc"])

    @Argument(help: "Its name.") var name: String
    @OptionGroup var options: DeleteOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            try await options.delete(HostedCluster.self, name, namespace: namespace, with: client) { $0.status?.deletion }
        }
    }
}
