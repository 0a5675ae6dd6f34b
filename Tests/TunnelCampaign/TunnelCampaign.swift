import ArgumentParser
import Tunnel

@main
struct TunnelCampaign: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tunnel-campaign",
        abstract: "What `make soak` and `make chaos` run, in network and process namespaces of their own.",
        subcommands: [SoakCommand.self, ChaosCommand.self])
}

struct CampaignOptions: ParsableArguments {
    @Option(help: "How long faults go on.") var minutes = 5.0
    @Option(help: "Decides what happens when.") var seed: UInt64
    @Option(help: "The folder of the executables.") var products: String
    @Option(help: "A folder for this campaign's files, which whoever made it removes.") var directory: String

    var time: Duration { .seconds(minutes * 60) }

    /// Says how it went, and leaves the line for the table in the folder.
    func report(_ body: () async throws -> String) async throws {
        let result: String
        do {
            result = "passed: \(try await body())"
        } catch let error as CampaignFailed {
            for problem in error.problems { say("problem: \(problem)") }
            try SmallFile.replace("\(directory)/result", with: "**failed** (\(error.problems.count)): \(error.summary)\n")
            throw ExitCode.failure
        }
        say(result)
        try SmallFile.replace("\(directory)/result", with: result + "\n")
    }
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

/// What was to hold did not.
struct CampaignFailed: Error {
    var summary: String
    var problems: [String]
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
