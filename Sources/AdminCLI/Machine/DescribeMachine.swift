import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct DescribeMachine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Show a machine with its conditions and events.",
        discussion: "Example:\n  nestbox describe machine NAME",
        aliases: ["mach"])

    @Argument(help: "Its name.") var name: String
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            let object = try await client.get(Machine.self, name, namespace: nil)
            let events = try await client.events(of: object)
            Terminal.write(try Description.text(of: object, status: object.status?.conditions, events: events))
        }
    }
}
