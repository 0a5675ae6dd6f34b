import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct TokenCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Print one command that makes a machine a node.",
        discussion: """
            For a machine that the operator cannot reach by SSH: its owner runs the command there, as root. It fetches a script, takes it \
            only if its SHA-256 is right, and the script takes only what has the SHA-256 that stands in it. The token serves this one \
            machine once, for 30 minutes at most.

            The machine is registered as a Machine with joinMethod Command, for this one pool, which takes it as soon as it has fewer \
            Machines than replicas. What needs somebody on the machine is its owner's: cleaning, mending, upgrading in place.

            Examples:
              nestbox token create branch-7 --nodepool branches --address 10.7.0.4
              nestbox token create branch-8 -n shop --nodepool workers --address 10.8.0.4 --architecture arm64
            """)

    @Argument(help: "The machine's name; its node has the same.") var name: String
    @Option(help: ArgumentHelp("The pool that it is for.", valueName: "name"), completion: NameCompletion.names(of: NodePool.self))
    var nodepool: String
    @Option(help: "Its IPv4 address, as its cluster's other nodes reach it.") var address: String
    @Option(help: "amd64 (default) or arm64.") var architecture: String?
    @Option(help: ArgumentHelp("A label of the Machine; may be given again.", valueName: "key=value")) var label: [KeyValue] = []
    @OptionGroup var printing: ScriptCommandOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, namespace in
            let machine = Machine(
                metadata: ObjectMeta(name: name, labels: label.dictionary),
                spec: MachineSpec(
                    address: address, allowedNamespaces: [namespace], joinMethod: .command, nodePool: nodepool, architecture: architecture))
            try CommandFailure.refuse(machine.validate(), of: "machine \(name)")
            guard try await client.find(NodePool.self, nodepool, namespace: namespace) != nil else {
                throw CommandFailure("there is no node pool \(namespace)/\(nodepool): nestbox get nodepools -A")
            }
            _ = try await client.create(machine)
            Terminal.say("\(Rendering.name(Machine.self, name)) created")
            try await printing.print(for: name, with: client)
        }
    }
}

struct TokenPrint: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "command", abstract: "Print what is to be run on a machine that the operator cannot reach.",
        discussion: """
            Before it is a node: the command that makes it one, with the token there is. After it left its cluster: the command that \
            cleans it.

            Examples:
              nestbox token command branch-7
            """)

    @Argument(help: "The machine's name.", completion: NameCompletion.names(of: Machine.self)) var name: String
    @OptionGroup var printing: ScriptCommandOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in try await printing.print(for: name, with: client) }
    }
}
