import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct DescribeNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Show a nodepool with its conditions and events.",
        discussion: "Example:\n  nestbox describe nodepool NAME",
        aliases: ["np"])

    @Argument(help: "Its name.") var name: String
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let object = try await client.get(NodePool.self, name, namespace: namespace)
            let events = try await client.events(of: object)
            Terminal.write(try Description.text(of: object, status: object.status?.conditions, events: events))
        }
    }
}
