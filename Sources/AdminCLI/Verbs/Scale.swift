import ArgumentParser

struct Scale: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Change how many nodes a pool has, or how many replicas a control plane.",
        discussion: """
            Examples:
              nestbox scale nodepool workers --replicas 3
              nestbox scale cluster demo --replicas 3
            """,
        subcommands: [ScaleNodePool.self, ScaleCluster.self])
}
