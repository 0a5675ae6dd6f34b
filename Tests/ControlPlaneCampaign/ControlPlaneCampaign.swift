import ArgumentParser
import TestCampaign

@main
struct ControlPlaneCampaign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control-plane-campaign",
        abstract: "What `make chaos ONLY=control-plane` and `make chaos ONLY=etcd` run, in a lab of their own.",
        subcommands: [ControlPlaneCommand.self, EtcdCommand.self])
}

struct ControlPlaneOptions: ParsableArguments {
    @Option(help: "The name of the lab.") var lab = "campaign"
    @Flag(help: "Leaves the lab up when it is over.") var hold = false
    @Flag(help: "Kills the operator at random during everything.") var kills = false
}

struct ControlPlaneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "control-plane")
    @Option(help: "How many times each operation.") var times = 5
    @Option(help: "With how many replicas the tenant is upgraded and renewed: 1 or 3.") var replicas = 3
    @Option(help: "How many nodes the host has.") var hostNodes = 1
    @OptionGroup var options: CampaignOptions
    @OptionGroup var place: ControlPlaneOptions

    func run() async throws {
        try await options.report {
            let schedule = OperationSchedule(times: times, replicas: replicas)
            let (time, seed, kills) = (options.time, options.seed, place.kills)
            return try await CampaignTenant.with(
                place.lab, replicas: replicas, hostNodes: hostNodes, machines: 1, stamps: schedule.versions,
                products: options.products, directory: options.directory, isHeld: place.hold
            ) { try await ControlPlaneRound(time: time, seed: seed, kills: kills, schedule: schedule, tenant: $0).run() }
        }
    }
}

struct EtcdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "etcd")
    @OptionGroup var options: CampaignOptions
    @OptionGroup var place: ControlPlaneOptions

    func run() async throws {
        try await options.report {
            let (time, seed, kills) = (options.time, options.seed, place.kills)
            return try await CampaignTenant.with(
                place.lab, replicas: 3, hostNodes: 1, machines: 0, stamps: [], products: options.products,
                directory: options.directory, isHeld: place.hold
            ) { try await EtcdRound(time: time, seed: seed, kills: kills, tenant: $0).run() }
        }
    }
}
