import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct DescribeCluster: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Show a cluster with its conditions and events.",
        discussion: "Example:\n  nestbox describe cluster NAME",
        aliases: ["hc"])

    @Argument(help: "Its name.") var name: String
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let object = try await client.get(HostedCluster.self, name, namespace: namespace)
            let events = try await client.events(of: object)
            Terminal.write(try Description.text(of: object, status: object.status?.conditions, events: events))
        }
    }
}
