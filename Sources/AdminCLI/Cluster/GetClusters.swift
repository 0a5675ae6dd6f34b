import ArgumentParser
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

struct GetClusters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clusters", abstract: "List clusters.",
        discussion: "Examples:\n  nestbox get clusters -A\n  nestbox get cluster demo -o yaml", aliases: ["cluster", "hc"])

    @Argument(help: "Only these.") var names: [String] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: Connection

    static let columns: [Column<HostedCluster>] = [
        Column(heading: "NAME") { $0.name },
        Column(heading: "VERSION") { ($0.status?.version ?? $0.spec?.version)?.description ?? "" },
        Column(heading: "AVAILABLE") { $0.status?.conditions?.named("Available")?.status ?? "Unknown" },
        Column(heading: "NODES") { cluster in cluster.status?.nodes.map { "\($0.ready)/\($0.total)" } ?? "0/0" },
        Column(heading: "ENDPOINT", wide: true) { $0.status?.apiEndpoints?.first ?? "" },
        Column(heading: "NAMESPACE-OF-CONTROL-PLANE", wide: true) { $0.status?.controlPlaneNamespace ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
    ]

    func run() async throws {
        try await GetObjects(columns: Self.columns, connection: connection, output: output, names: names).run()
    }
}
