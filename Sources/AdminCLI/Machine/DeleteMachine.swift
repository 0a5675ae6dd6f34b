import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct DeleteMachine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Delete a machine and all that it has.", discussion: "Example:\n  nestbox delete machine NAME",
        aliases: ["mach"])

    @Argument(help: "Its name.") var name: String
    @OptionGroup var options: DeleteOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            try await options.delete(Machine.self, name, namespace: nil, with: client) { $0.status?.phase?.rawValue }
        }
    }
}
