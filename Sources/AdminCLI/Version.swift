import ArgumentParser
import KubernetesClient
import NestboxAPI

/// This build of Nestbox.
enum ProductVersion {
    static let current = Defaults.release
}

struct Version: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show this nestbox's version and the host cluster's.",
        discussion: "Examples:\n  nestbox version\n  nestbox version --client")

    @Flag(help: "Do not ask the host cluster.") var client = false
    @OptionGroup var connection: Connection

    func run() async throws {
        Terminal.writeLine("nestbox: \(ProductVersion.current)")
        guard !client else { return }
        try await connection.run { client, _ in
            Terminal.writeLine("host: \(try await client.serverVersion())")
        }
    }
}
