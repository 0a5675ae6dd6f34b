import ArgumentParser

struct Upgrade: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Move a cluster's control plane to another version or release.",
        discussion: "Example:\n  nestbox upgrade cluster demo --to v1.21.0 --wait",
        subcommands: [UpgradeCluster.self])
}
