import Foundation
import Subprocess
import SystemPackage

/// Runs the executables that were built beside these tests, and kubectl, as a person would.
public struct CommandRun: Sendable {
    public var environment: [String: String]
    /// By name, or by its path.
    public var kubectl = "kubectl"

    public init(environment: [String: String]) { self.environment = environment }

    public struct Failed: Error, CustomStringConvertible {
        public let description: String

        public init(description: String) { self.description = description }
    }

    /// How a command ended, and what it said.
    public struct Outcome: Sendable, Equatable {
        /// The exit code; of a command that a signal ended, 128 and the signal, as shells have it.
        public var code: Int
        public var output: String
        public var error: String

        public init(code: Int, output: String, error: String) {
            self.code = code
            self.output = output
            self.error = error
        }
    }

    /// The folder of the built executables: the test binary's own.
    public static let products: String = {
        let bundle = CommandLine.arguments[0]
        var folder = URL(fileURLWithPath: bundle).deletingLastPathComponent()
        while folder.path != "/", !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("nestbox").path) {
            folder.deleteLastPathComponent()
        }
        return folder.path
    }()

    @discardableResult
    public func nestbox(_ arguments: String...) async throws -> String { try await nestbox(arguments) }

    @discardableResult
    public func nestbox(_ arguments: [String]) async throws -> String { try await run("\(Self.products)/nestbox", arguments) }

    @discardableResult
    public func kubectl(_ arguments: String...) async throws -> String { try await kubectl(arguments) }

    @discardableResult
    public func kubectl(_ arguments: [String]) async throws -> String { try await run(kubectl, arguments) }

    /// Applies a manifest.
    public func apply(_ manifest: String) async throws {
        try await shell("\(kubectl) apply -f - <<'EOF'\n\(manifest)\nEOF")
    }

    @discardableResult
    public func shell(_ script: String) async throws -> String { try await run("bash", ["-c", script]) }

    /// The command's stdout. Throws with its stderr when it fails.
    @discardableResult
    public func run(_ executable: String, _ arguments: [String]) async throws -> String {
        let outcome = try await outcome(executable, arguments)
        guard outcome.code == 0 else {
            throw Failed(
                description:
                    "\(executable) \(arguments.joined(separator: " ")): exit code \(outcome.code)\n\(outcome.output)\n\(outcome.error)")
        }
        return outcome.output
    }

    /// However it ends.
    public func outcome(_ executable: String, _ arguments: [String]) async throws -> Outcome {
        let result = try await Subprocess.run(
            program(executable), arguments: Arguments(arguments), environment: subprocessEnvironment,
            output: .string(limit: 4 << 20), error: .string(limit: 1 << 20))
        return Outcome(code: Self.code(result.terminationStatus), output: result.standardOutput, error: result.standardError)
    }

    /// Runs a command that goes on until it is told to end; `body` gets its lines, stdout's and stderr's, and ends it by a signal.
    public func whileRunning(
        _ executable: String, _ arguments: [String], _ body: @Sendable (Running) async throws -> Void
    ) async throws -> Int {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let result = try await Subprocess.run(
            program(executable), arguments: Arguments(arguments), environment: subprocessEnvironment, platformOptions: options,
            input: .none, output: .sequence, error: .combinedWithOutput
        ) { execution in
            let lines = LineBox()
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await line in execution.standardOutput.strings() { await lines.append(line) }
                }
                do {
                    try await body(Running(pid: execution.processIdentifier.value, lines: lines))
                } catch {
                    kill(execution.processIdentifier.value, SIGKILL)
                    throw error
                }
                try await group.waitForAll()
            }
        }
        return Self.code(result.terminationStatus)
    }

    /// Runs a command to its end, each line of its stdout passed on as it comes.
    @discardableResult
    public func eachLine(
        _ executable: String, _ arguments: [String], _ body: @Sendable (String) async throws -> Void
    ) async throws -> Int {
        let result = try await Subprocess.run(
            program(executable), arguments: Arguments(arguments), environment: subprocessEnvironment, input: .none, output: .sequence,
            error: .discarded
        ) { execution in
            for try await line in execution.standardOutput.strings(bufferingPolicy: .maxLineLength(4 << 20)) { try await body(line) }
        }
        return Self.code(result.terminationStatus)
    }

    /// A command that goes on.
    public struct Running: Sendable {
        let pid: pid_t
        let lines: LineBox

        /// Waits for a line that contains the text, among all so far.
        public func line(with text: String, within limit: Duration = .seconds(30)) async throws -> String {
            let deadline = ContinuousClock.now + limit
            while true {
                if let line = await lines.all.first(where: { $0.contains(text) }) { return line }
                guard .now < deadline else {
                    throw Failed(description: "no line with \"\(text)\" within \(limit), but:\n\(await lines.all.joined(separator: "\n"))")
                }
                try await Task.sleep(for: .milliseconds(20))
            }
        }

        public func all() async -> [String] { await lines.all }

        public func signal(_ signal: Int32) { kill(pid, signal) }
    }

    actor LineBox {
        private(set) var all: [String] = []
        func append(_ line: String) { all.append(line) }
    }

    private func program(_ name: String) -> Executable { name.contains("/") ? .path(FilePath(name)) : .name(name) }

    private var subprocessEnvironment: Environment {
        .inherit.updating(
            Dictionary(uniqueKeysWithValues: environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }))
    }

    private static func code(_ status: TerminationStatus) -> Int {
        switch status {
        case .exited(let code): Int(code)
        case .signaled(let signal): 128 + Int(signal)
        }
    }

    /// Waits until the body returns without throwing, and fails with its last error at the deadline.
    public static func eventually<Result: Sendable>(
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
