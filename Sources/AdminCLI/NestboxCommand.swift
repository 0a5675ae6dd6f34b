public import ArgumentParser

/// `nestbox`: verbs for the kinds (create, get, describe, scale, delete), nouns for what is around them (lab, artifacts).
public struct NestboxCommand: AsyncParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "nestbox",
        abstract: "Tenants' Kubernetes clusters: control planes as pods of this cluster, nodes on machines of their own.",
        discussion: """
            Examples:
              nestbox create cluster demo --version v1.20.2
              nestbox create machine worker-1 --address 192.0.2.10 --ssh-key ~/.ssh/id_ed25519
              nestbox create nodepool workers --cluster demo --replicas 2
              nestbox kubeconfig demo -o demo.kubeconfig
              nestbox scale nodepool workers --replicas 3

            Exit codes: 0 done, 1 failed, 64 wrong usage, 124 a --wait that timed out.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Clusters, node pools and machines", subcommands: [Create.self, Get.self, Describe.self, Scale.self, Delete.self]),
            CommandGroup(name: "Access", subcommands: [Kubeconfig.self]),
            CommandGroup(name: "This computer", subcommands: [LabCommand.self, ArtifactsCommand.self]),
            CommandGroup(name: "Nestbox itself", subcommands: [Uninstall.self, Version.self]),
        ])

    public init() {}
}

struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a cluster, a node pool or a machine.",
        subcommands: [CreateCluster.self, CreateNodePool.self, CreateMachine.self])
}

struct Get: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List clusters, node pools or machines.", subcommands: [GetClusters.self, GetNodePools.self, GetMachines.self])
}

struct Describe: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show one object with its conditions and events.",
        subcommands: [DescribeCluster.self, DescribeNodePool.self, DescribeMachine.self])
}

struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Change how many nodes a pool has.", subcommands: [ScaleNodePool.self])
}

struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Delete a cluster, a node pool or a machine.",
        subcommands: [DeleteCluster.self, DeleteNodePool.self, DeleteMachine.self])
}
