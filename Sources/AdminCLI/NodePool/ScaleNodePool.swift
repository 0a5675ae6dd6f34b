import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct ScaleNodePool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "nodepool", abstract: "Set how many nodes a pool has.",
        discussion: "Example:\n  nestbox scale nodepool workers --replicas 3 --wait", aliases: ["np"])

    @Argument(help: "The pool's name.") var name: String
    @Option(help: "How many nodes.") var replicas: Int
    @Flag(help: "Wait until so many nodes are ready.") var wait = false
    @Option(help: "How long --wait waits, in seconds.") var timeout: Int = 600
    @OptionGroup var connection: Connection

    func validate() throws {
        guard replicas >= 0 else { throw ValidationError("--replicas must be 0 or more") }
    }

    func run() async throws {
        try await connection.run { client, namespace in
            // The scale subresource: who may scale need not be allowed to edit the pool.
            _ = try await client.patch(
                NodePool.self, name, namespace: namespace, merge: ["spec": ["replicas": .integer(replicas)]])
            Terminal.write("\(NodePool.resourceType)/\(name) scaled\n")
            guard wait else { return }
            try await Waiting(timeout: .seconds(timeout)).wait(for: "node pool \(name)") {
                try await client.get(NodePool.self, name, namespace: namespace).waitsFor(replicas: replicas)
            }
        }
    }
}
