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
            """,
        aliases: NodePool.noun.aliases)

    @Argument(help: "The pool's name.") var name: String
    @Option(help: "The cluster it belongs to, in the same namespace.", completion: NameCompletion.names(of: HostedCluster.self))
    var cluster: String
    @Option(parsing: .unconditional, help: "How many nodes.") var replicas: Int = 1
    @Option(help: "The kubelets' version, such as v1.20.2; else the cluster's.") var version: KubernetesVersion?
    @Option(help: ArgumentHelp("A label of the Machines to claim; may be given again.", valueName: "key=value"))
    var machines: [KeyValue] = []
    @Option(help: ArgumentHelp("A label for the nodes; may be given again.", valueName: "key=value")) var label: [KeyValue] = []
    @OptionGroup var options: CreateOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try CommandFailure.refuse(pool(connection.namespaceOffline).validate(), of: "node pool \(name)")
        if options.dryRun { return try options.show(pool(connection.namespaceOffline)) }
        try await connection.run { client, namespace in
            let pool = pool(namespace)
            try await check(pool, with: client)
            try await options.create(pool, with: client)
            guard options.waiting.wait else { return }
            try await Waiting<NodePool>(client: client, name: name, namespace: namespace, limit: options.waiting.timeout)
                .wait("complete", whileThere: { [replicas] in $0.waitsFor(replicas: replicas) })
        }
    }

    /// Against its cluster, as far as this user may see it: who may make pools need not be allowed to read clusters.
    private func check(_ pool: NodePool, with client: KubernetesClient) async throws {
        do {
            let owner = try await client.get(HostedCluster.self, cluster, namespace: pool.namespace)
            try CommandFailure.refuse(pool.validate(in: owner), of: "node pool \(name)")
        } catch let error as KubernetesError where error.isNotFound && error.status?.details?.name != nil {
            throw CommandFailure(
                "there is no cluster \(cluster) in namespace \(pool.namespace ?? "") for node pool \(name): create it first "
                    + "(nestbox create cluster \(cluster)), or name another one or its namespace (-n)")
        } catch let error as KubernetesError where error.isForbidden {}
    }

    private func pool(_ namespace: String) -> NodePool {
        var spec = NodePoolSpec(clusterName: cluster, replicas: replicas, version: version)
        spec.labels = label.dictionary
        spec.machineSelector = machines.dictionary.map { LabelSelector(matchLabels: $0) }
        return NodePool(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec)
    }
}
