import Glibc
import Subprocess
import SystemPackage

/// Runs this computer's programs: what they say goes to a log, and its end into the error when they fail.
struct Command: Sendable {
    /// Everything that is run is found in the system's own folders, whatever else a user's PATH holds.
    static let systemPath = "/usr/sbin:/usr/bin:/sbin:/bin"

    /// Where output goes.
    let log: String
    var environment: [String: String?] = [:]
    var directory: String?

    init(log: String, environment: [String: String?] = [:], directory: String? = nil) {
        self.log = log
        self.environment = environment
        self.directory = directory
    }

    /// Runs a program to its end, its output appended to the log.
    func run(_ program: String, _ arguments: [String], purpose: String) async throws {
        let log = self.log
        let file = try await offPool { try OpenFile(log, O_WRONLY | O_CREAT | O_APPEND) }
        try await offPool { try file.write(Array("\n+ \(program) \(arguments.joined(separator: " "))\n".utf8)) }
        let output = FileDescriptor(rawValue: file.descriptor)
        let result: ExecutionResult<Void, FileDescriptorOutput, FileDescriptorOutput>
        do {
            result = try await Subprocess.run(
                .name(program), arguments: Arguments(arguments), environment: settings, workingDirectory: directory.map { FilePath($0) },
                platformOptions: options, output: .fileDescriptor(output, closeAfterSpawningProcess: false),
                error: .fileDescriptor(output, closeAfterSpawningProcess: false))
        } catch let error as SubprocessError {
            throw ArtifactError(.commandFailed, "\(purpose): \(program) could not be run: \(error)")
        }
        try Task.checkCancellation()
        guard result.terminationStatus.isSuccess else {
            let tail = try await offPool { Self.tail(of: log) }
            throw ArtifactError(
                .commandFailed, "\(purpose): \(program) ended with \(result.terminationStatus); the end of \(log) says:\n\(tail)")
        }
    }

    /// Runs a program and returns what it wrote to standard output.
    static func output(
        _ program: String, _ arguments: [String], environment: [String: String?] = [:], purpose: String
    ) async throws -> String {
        let command = Command(log: "/dev/null", environment: environment)
        let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
        do {
            result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                environment: command.settings, platformOptions: command.options, output: .string(limit: 4 << 20),
                error: .string(limit: 1 << 20))
        } catch let error as SubprocessError {
            throw ArtifactError(.commandFailed, "\(purpose): \(program) could not be run: \(error)")
        }
        guard result.terminationStatus.isSuccess else {
            throw ArtifactError(
                .commandFailed, "\(purpose): \(program) ended with \(result.terminationStatus): \(lastLines(result.standardError))")
        }
        return result.standardOutput
    }

    private var settings: Environment {
        var all: [Environment.Key: String?] = [
            "PATH": Self.systemPath, "LC_ALL": "C",
            // A `make` above us would otherwise lend our children its job server and its variables.
            "MAKEFLAGS": nil, "MFLAGS": nil, "MAKELEVEL": nil, "MAKEOVERRIDES": nil,
        ]
        for (name, value) in environment { all[Environment.Key(rawValue: name) ?? "_"] = value }
        return .inherit.updating(all)
    }

    private var options: PlatformOptions {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        return options
    }

    private static func tail(of path: String) -> String { lastLines((try? FileSystem.text(path)) ?? "") }

    static func lastLines(_ text: String, _ count: Int = 12) -> String {
        text.split(whereSeparator: \.isNewline).suffix(count).joined(separator: "\n")
    }
}

extension OpenFile {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }
}
