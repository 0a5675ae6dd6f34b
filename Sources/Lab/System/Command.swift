import Glibc
import Subprocess
import SystemPackage

/// Runs this computer's programs to their end.
enum Command {
    /// Everything that is run is found in the system's own folders, whatever else a user's PATH holds.
    static let systemPath = "/usr/sbin:/usr/bin:/sbin:/bin"

    /// What the program wrote to standard output. Its end is in the error when it fails.
    @discardableResult
    static func output(_ program: String, _ arguments: [String], environment: [String: String] = [:], purpose: String) async throws
        -> String
    {
        let result = try await result(program, arguments, environment: environment, purpose: purpose)
        guard result.succeeded else {
            let said = lastLines(result.error.isEmpty ? result.output : result.error)
            throw LabError("\(purpose): \(program) \(arguments.joined(separator: " ")) ended with \(result.end):\n\(said)")
        }
        return result.output
    }

    struct Outcome: Sendable {
        var succeeded: Bool
        var end: String
        var output: String
        var error: String
    }

    /// How it ended and what it said; throws only when it could not be run.
    static func result(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], input: some InputProtocol = .none, purpose: String
    ) async throws -> Outcome {
        var options = PlatformOptions()
        // In our own process group: a person's Ctrl-C ends it with us.
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        var settings: [Environment.Key: String] = ["PATH": systemPath, "LC_ALL": "C", "HOME": "/root"]
        for (name, value) in environment { settings[Environment.Key(rawValue: name) ?? "_"] = value }
        do {
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                environment: .custom(settings), platformOptions: options, input: input, output: .string(limit: 8 << 20),
                error: .string(limit: 1 << 20))
            try Task.checkCancellation()
            return Outcome(
                succeeded: result.terminationStatus.isSuccess, end: "\(result.terminationStatus)", output: result.standardOutput,
                error: result.standardError)
        } catch let error as SubprocessError {
            throw LabError("\(purpose): \(program) could not be run: \(error)")
        }
    }

    static func isInstalled(_ program: String) -> Bool {
        systemPath.split(separator: ":").contains { Files.isExecutable("\($0)/\(program)") }
    }

    static func lastLines(_ text: String, _ count: Int = 12) -> String {
        text.split(whereSeparator: \.isNewline).suffix(count).joined(separator: "\n")
    }
}
