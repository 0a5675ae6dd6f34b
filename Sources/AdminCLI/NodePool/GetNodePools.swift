import ArgumentParser
import KubernetesAPI
import NestboxAPI

struct GetNodePools: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepools", abstract: "List node pools.", discussion: "Example:\n  nestbox get nodepools -A -o wide",
        aliases: ["nodepool", "np"])

    @Argument(help: "Only these.") var names: [String] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: Connection

    static let columns: [Column<NodePool>] = [
        Column(heading: "NAME") { $0.name },
        Column(heading: "CLUSTER") { $0.spec?.clusterName ?? "" },
        Column(heading: "DESIRED") { String($0.spec?.replicas ?? 0) },
        Column(heading: "READY") { String($0.status?.readyReplicas ?? 0) },
        Column(heading: "VERSION", wide: true) { $0.status?.versions?.keys.sorted().joined(separator: ",") ?? "" },
        Column(heading: "MESSAGE", wide: true) { $0.status?.conditions?.missing("Ready") ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
    ]

    func run() async throws {
        try await GetObjects(columns: Self.columns, connection: connection, output: output, names: names).run()
    }
}
