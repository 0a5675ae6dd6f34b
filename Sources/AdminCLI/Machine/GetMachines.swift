import ArgumentParser
import KubernetesAPI
import NestboxAPI

struct GetMachines: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machines", abstract: "List machines.", discussion: "Example:\n  nestbox get machines -o wide -w",
        aliases: ["machine", "mach"])

    @Argument(help: "Only these.") var names: [String] = []
    @OptionGroup var output: OutputOptions
    @OptionGroup var connection: Connection

    static let columns: [Column<Machine>] = [
        Column(heading: "NAME") { $0.name },
        Column(heading: "ADDRESS") { $0.spec?.address ?? "" },
        Column(heading: "PHASE") { $0.status?.phase?.rawValue ?? "Unknown" },
        Column(heading: "CLAIMED-BY") { machine in machine.status?.claim.map { "\($0.namespace)/\($0.nodePool)" } ?? "" },
        Column(heading: "STEP", wide: true) { $0.status?.plan?.current ?? "" },
        Column(heading: "OS", wide: true) { $0.status?.facts?.operatingSystem ?? "" },
        Column(heading: "MESSAGE", wide: true) { $0.status?.message ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
    ]

    func run() async throws {
        try await GetObjects(columns: Self.columns, connection: connection, output: output, names: names).run()
    }
}

extension PlanStatus {
    /// The step under way or the one that failed: `Join: push kubelet (Running)`.
    var current: String? {
        guard let step = steps.first(where: { $0.state != .succeeded }) else { return nil }
        return "\(name): \(step.name) (\(step.state.rawValue))"
    }
}
