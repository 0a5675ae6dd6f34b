import ArgumentParser
import Foundation

/// What every campaign is told.
public struct CampaignOptions: ParsableArguments {
    @Option(help: "How long faults go on.") public var minutes = 5.0
    @Option(help: "Decides what happens when.") public var seed: UInt64
    @Option(help: "The folder of the executables.") public var products: String
    @Option(help: "A folder for this campaign's files, which whoever made it removes.") public var directory: String

    public init() {}

    public var time: Duration { .seconds(minutes * 60) }

    /// Says how it went, and leaves the line for the table in the folder.
    public func report(_ body: () async throws -> String) async throws {
        let result: String
        do {
            result = "passed: \(try await body())"
        } catch let error as CampaignFailed {
            for problem in error.problems { say("problem: \(problem)") }
            try note("**failed** (\(error.problems.count)): \(error.summary)")
            throw ExitCode.failure
        }
        say(result)
        try note(result)
    }

    private func note(_ result: String) throws {
        try "\(result)\n".write(toFile: "\(directory)/result", atomically: true, encoding: .utf8)
    }
}

/// What was to hold did not.
public struct CampaignFailed: Error {
    public var summary: String
    public var problems: [String]

    public init(summary: String, problems: [String]) {
        self.summary = summary
        self.problems = problems
    }
}
