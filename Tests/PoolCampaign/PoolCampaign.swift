import ArgumentParser
import TestCampaign

@main
struct PoolCampaign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pool-campaign", abstract: "What `make chaos ONLY=pools` and `make chaos ONLY=operator` run, in a lab of their own.",
        subcommands: [PoolsCommand.self, OperatorCommand.self])
}

struct PoolOptions: ParsableArguments {
    @Option(help: "The name of the lab.") var lab = "campaign"
    @Flag(help: "Leaves the lab up when it is over.") var hold = false
}

struct PoolsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "pools")
    @OptionGroup var options: CampaignOptions
    @OptionGroup var pools: PoolOptions

    func run() async throws {
        try await options.report {
            let (time, seed) = (options.time, options.seed)
            return try await PoolLab.with(
                pools.lab, machines: PoolRound.machines, disk: "5G", products: options.products, directory: options.directory,
                isHeld: pools.hold, pools: PoolRound.manifests
            ) { try await PoolRound(time: time, seed: seed, pooled: $0).run() }
        }
    }
}

struct OperatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "operator")
    @Option(help: "How many machines.") var machines = 10
    @OptionGroup var options: CampaignOptions
    @OptionGroup var pools: PoolOptions

    func run() async throws {
        try await options.report {
            let (time, seed) = (options.time, options.seed)
            return try await PoolLab.with(
                pools.lab, machines: machines, disk: nil, products: options.products, directory: options.directory,
                isHeld: pools.hold, pools: [OperatorRound.manifest]
            ) { try await OperatorRound(time: time, seed: seed, pooled: $0).run() }
        }
    }
}
