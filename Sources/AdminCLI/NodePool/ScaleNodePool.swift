import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct ScaleNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Set how many nodes a pool has.",
        discussion: """
            Examples:
              nestbox scale nodepool workers --replicas 3 --wait
              nestbox scale nodepool workers --replicas 0 -n team-a
            """,
        aliases: NodePool.noun.aliases)

    @Argument(help: "The pool's name.", completion: NameCompletion.names(of: NodePool.self)) var name: String
    @Option(parsing: .unconditional, help: "How many nodes.") var replicas: Int
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func validate() throws {
        guard replicas >= 0 else { throw ValidationError("--replicas must be 0 or more") }
    }

    func run() async throws {
        try await connection.run { client, namespace in
            // The scale subresource: who may scale need not be allowed to edit the pool.
            _ = try await client.subresource(
                .patch, "scale", of: NodePool.self, name, namespace: namespace,
                body: ["spec": ["replicas": .integer(replicas)]] as JSONValue)
            Terminal.writeLine("\(Rendering.name(NodePool.self, name)) scaled")
            guard waiting.wait else { return }
            try await Waiting<NodePool>(client: client, name: name, namespace: namespace, limit: waiting.timeout)
                .wait("complete", whileThere: { [replicas] in $0.waitsFor(replicas: replicas) })
        }
    }
}
