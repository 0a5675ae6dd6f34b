import ArgumentParser
import TestCampaign

@main
struct TunnelCampaign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tunnel-campaign",
        abstract: "What `make soak` and `make chaos` run, in network and process namespaces of their own.",
        subcommands: [SoakCommand.self, ChaosCommand.self])
}

struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "soak")
    @OptionGroup var options: CampaignOptions

    func run() async throws {
        try await options.report {
            try await Soak(time: options.time, seed: options.seed, products: options.products, directory: options.directory).run()
        }
    }
}

struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "chaos")
    @OptionGroup var options: CampaignOptions

    func run() async throws {
        try await options.report {
            try await Chaos(time: options.time, seed: options.seed, products: options.products, directory: options.directory).run()
        }
    }
}

struct Overdue: Error, CustomStringConvertible {
    var description: String
}

/// Waits for a condition, with a deadline. An error counts as no.
func eventually(_ what: String, within limit: Duration, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    var last: (any Error)?
    while true {
        do { if try await condition() { return } } catch { last = error }
        guard ContinuousClock.now < end else {
            throw Overdue(description: "\(what): not within \(limit.seconds) s\(last.map { ", \($0)" } ?? "")")
        }
        try await Task.sleep(for: .milliseconds(200))
    }
}
