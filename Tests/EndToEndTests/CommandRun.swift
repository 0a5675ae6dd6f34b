import Foundation
import Subprocess
import SystemPackage
import Testing

/// Runs the executables that were built beside these tests, and kubectl, as a person would.
struct CommandRun: Sendable {
    var environment: [String: String]
    /// By name, or by its path.
    var kubectl = "kubectl"

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// The folder of the built executables: the test binary's own.
    static let products: String = {
        let bundle = CommandLine.arguments[0]
        var folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("nestbox").path) {
            folder.deleteLastPathComponent()
        }
        return folder.path
    }()

    @discardableResult
    func nestbox(_ arguments: String...) async throws -> String { try await nestbox(arguments) }

    @discardableResult
    func nestbox(_ arguments: [String]) async throws -> String { try await run("\(Self.products)/nestbox", arguments) }

    @discardableResult
    func kubectl(_ arguments: String...) async throws -> String { try await kubectl(arguments) }

    @discardableResult
    func kubectl(_ arguments: [String]) async throws -> String { try await run(kubectl, arguments) }

    /// Applies a manifest.
    func apply(_ manifest: String) async throws {
        try await shell("\(kubectl) apply -f - <<'EOF'\n\(manifest)\nEOF")
    }

    @discardableResult
    func shell(_ script: String) async throws -> String { try await run("bash", ["-c", script]) }

    /// The command's stdout. Throws with its stderr when it fails.
    @discardableResult
    func run(_ executable: String, _ arguments: [String]) async throws -> String {
        let changes = Dictionary(
            uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) })
        let isPath = executable.contains("/")
        let result = try await Subprocess.run(
            isPath ? .path(FilePath(executable)) : .name(executable), arguments: Arguments(arguments),
            environment: .inherit.updating(changes), output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
        let output = result.standardOutput
        guard result.terminationStatus.isSuccess else {
            throw Failed(
                description:
                    "\(executable) \(arguments.joined(separator: " ")): \(result.terminationStatus)\n\(output)\n\(result.standardError)")
        }
        return output
    }

    /// Waits until the body returns without throwing, and fails with its last error at the deadline.
    static func eventually<Result: Sendable>(
        within timeout: Duration = .seconds(120), _ what: String, _ body: () async throws -> Result
    ) async throws -> Result {
        let clock = ContinuousClock()
        let deadline = clock.now + timeout
        while true {
            do {
                return try await body()
            } catch {
                if clock.now > deadline { throw Failed(description: "\(what) did not come to be within \(timeout): \(error)") }
                try await Task.sleep(for: .milliseconds(300))
            }
        }
    }
}
