import ArgumentParser
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

/// This build of Nestbox.
enum ProductVersion {
    static let current = Defaults.release
}

struct Version: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show this nestbox's version and the host cluster's.", discussion: "Example:\n  nestbox version --client")

    @Flag(help: "Do not ask the host cluster.") var client = false
    @OptionGroup var connection: Connection

    func run() async throws {
        Terminal.write("nestbox: \(ProductVersion.current)\n")
        guard !client else { return }
        try await connection.run { client, _ in
            let answer = try await client.raw(.get, path: "/version")
            Terminal.write("host: \(try Rendering.decodeVersion(answer.body))\n")
        }
    }
}

struct Uninstall: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove the operator and the kinds from the host cluster.",
        discussion: """
            Refuses while there are clusters, node pools or claimed machines: removing Nestbox must not remove tenants.

            Example:
              nestbox uninstall
            """)

    @Option(help: "The operators' namespace.") var operatorNamespace: String = "nestbox-system"
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            let clusters = try await client.list(HostedCluster.self).items.map { "hostedcluster/\($0.key)" }
            let pools = try await client.list(NodePool.self).items.map { "nodepool/\($0.key)" }
            let machines = try await client.list(Machine.self).items.filter { $0.status?.claim != nil }.map { "machine/\($0.name)" }
            let present = clusters + pools + machines
            guard present.isEmpty else {
                throw CommandFailure(
                    "there are still \(present.joined(separator: ", ")); delete them first (nestbox delete cluster NAME), then uninstall")
            }
            try await Installation.remove(operatorNamespace: operatorNamespace, with: client)
            Terminal.say("Nestbox is uninstalled")
        }
    }
}
