import ArgumentParser

struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create a cluster, a node pool or a machine.",
        discussion: """
            Examples:
              nestbox create cluster demo --version v1.20.2 --wait
              nestbox create machine worker-1 --address 192.0.2.10 --ssh-key ~/.ssh/id_ed25519
              nestbox create machine -f nodepools/rack12.yaml --wait
              nestbox create nodepool workers --cluster demo --replicas 2
            """,
        subcommands: [CreateCluster.self, CreateNodePool.self, CreateMachine.self])
}
