import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct DeleteNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Delete a nodepool and all that it has.", discussion: "Example:\n  nestbox delete nodepool NAME",
        aliases: ["np"])

    @Argument(help: "Its name.") var name: String
    @OptionGroup var options: DeleteOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            try await options.delete(NodePool.self, name, namespace: namespace, with: client) {
                $0.status?.conditions?.named("Deleting")?.message
            }
        }
    }
}
