// Built as a whole module, for release, C's structures come by way of this one.
import CoreFoundation
import Glibc
import Subprocess
import SystemPackage

/// Keeps one program running, its output in a log of its own.
struct SupervisedProgram: Sendable {
    let name: String
    let program: String
    let arguments: [String]
    let environment: [String: String]
    let log: String
    /// How long it has to end by itself; zero ends it at once.
    let grace: Duration

    /// A log that has grown beyond this is set aside when its program starts.
    private static let longestLog = 64 << 20

    /// Runs it once. Cancelled, it stops the program: first it asks, then it insists.
    func runOnce() async throws -> TerminationStatus {
        let log = self.log
        let descriptor = try await offPool {
            var facts = stat()
            if stat(log, &facts) == 0, facts.st_size > Self.longestLog { rename(log, "\(log).1") }
            let descriptor = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else { throw LabError("\(log): cannot open: \(Files.systemError())") }
            return descriptor
        }
        defer { close(descriptor) }
        var options = PlatformOptions()
        options.createSession = true
        if grace > .zero { options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: grace)] }
        var settings: [Environment.Key: String] = [:]
        for (name, value) in environment { settings[Environment.Key(rawValue: name) ?? "_"] = value }
        do {
            let result = try await Subprocess.run(
                program.contains("/") ? .path(FilePath(program)) : .name(program), arguments: Arguments(arguments),
                environment: .custom(settings), platformOptions: options,
                output: .fileDescriptor(FileDescriptor(rawValue: descriptor), closeAfterSpawningProcess: false),
                error: .fileDescriptor(FileDescriptor(rawValue: descriptor), closeAfterSpawningProcess: false))
            return result.terminationStatus
        } catch let error as SubprocessError {
            throw LabError("\(program) could not be run: \(error)")
        }
    }
}
