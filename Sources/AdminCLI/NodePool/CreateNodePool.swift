import ArgumentParser
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

struct CreateNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Create a pool of a cluster's nodes.",
        discussion: """
            Examples:
              nestbox create nodepool workers --cluster demo --replicas 2 --wait
              nestbox create nodepool gpu --cluster demo --replicas 1 --machines gpu=yes --label tier=gpu
            """)

    @Argument(help: "The pool's name.") var name: String
    @Option(help: "The cluster it belongs to, in the same namespace.") var cluster: String
    @Option(help: "How many nodes.") var replicas: Int = 1
    @Option(help: "The kubelets' version; else the cluster's.") var version: String?
    @Option(help: "A label of the Machines to claim, key=value; may be given again.") var machines: [String] = []
    @Option(help: "A label for the nodes, key=value; may be given again.") var label: [String] = []
    @OptionGroup var options: CreateOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        if options.dryRun { return try options.show(try pool(namespace: connection.namespace ?? "default")) }
        try await connection.run { client, namespace in
            _ = try await options.create(try pool(namespace: namespace), with: client)
            guard options.wait else { return }
            try await Waiting(timeout: .seconds(options.timeout)).wait(for: "node pool \(name)") {
                try await client.get(NodePool.self, name, namespace: namespace).waitsFor(replicas: replicas)
            }
        }
    }

    private func pool(namespace: String) throws -> NodePool {
        var spec = NodePoolSpec(clusterName: cluster, replicas: replicas)
        if let version {
            guard let parsed = KubernetesVersion(version) else {
                throw ValidationError("--version: \"\(version)\" is not a Kubernetes version such as v1.20.2")
            }
            spec.version = parsed
        }
        if !label.isEmpty { spec.labels = try Self.pairs(label, of: "--label") }
        if !machines.isEmpty { spec.machineSelector = LabelSelector(matchLabels: try Self.pairs(machines, of: "--machines")) }
        let pool = NodePool(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec)
        let problems = pool.withDefaults().validate()
        guard problems.isEmpty else { throw ValidationError(problems.map(\.description).joined(separator: "\n")) }
        return pool
    }

    private static func pairs(_ texts: [String], of option: String) throws -> [String: String] {
        try texts.reduce(into: [:]) { pairs, text in
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("\(option): \"\(text)\" is not key=value") }
            pairs[String(parts[0])] = String(parts[1])
        }
    }
}

extension NodePool {
    /// What keeps it from having so many ready nodes, in words; nil when it has them.
    func waitsFor(replicas: Int) -> String? {
        let ready = status?.readyReplicas ?? 0
        if ready == replicas, status?.replicas == replicas, status?.observedGeneration == metadata.generation { return nil }
        if let lacking = status?.conditions?.named("MachinesAvailable"), lacking.status == "False" { return lacking.message }
        return "\(ready) of \(replicas) nodes are ready"
    }
}
