import FoundationEssentials
import Subprocess
import SystemPackage

/// A program that runs for as long as a scope lasts, and is killed with it: also when this process is itself killed.
enum SupervisedProcess {
    /// A shell between the two holds a pipe from this process and kills the program when the pipe closes, for whatever reason.
    static let supervisor = """
        log=$1 pid=$2; shift 2
        exec 3<&0
        trap 'kill -9 $child $reader 2>/dev/null; exit 0' TERM INT HUP
        "$@" <&- 3<&- >"$log" 2>&1 </dev/null &
        child=$!
        echo $child >"$pid"
        cat <&3 >/dev/null &
        reader=$!
        wait $reader
        kill -9 $child 2>/dev/null
        wait $child
        exit 0
        """

    /// Runs `program` beside `body`. Its output is in `directory/name.log`, its pid in `directory/name.pid`.
    static func with<Value: Sendable>(
        _ program: String, _ arguments: [String], name: String, in directory: String, _ body: () async throws -> Value
    ) async throws -> Value {
        var options = PlatformOptions()
        options.teardownSequence = [.gracefulShutDown(allowedDurationToNextStep: .seconds(5))]
        let result = try await run(
            .path("/bin/sh"),
            arguments: Arguments(["-c", supervisor, name, "\(directory)/\(name).log", "\(directory)/\(name).pid", program] + arguments),
            workingDirectory: FilePath(directory), platformOptions: options, input: .inputWriter, output: .discarded, error: .discarded
        ) { execution in
            let outcome: Result<Value, any Error>
            do {
                outcome = .success(try await body())
            } catch {
                outcome = .failure(error)
            }
            try? await execution.standardInputWriter.finish()
            return outcome
        }
        return try result.closureResult.get()
    }

    /// What a program said last, for the error that names it.
    static func lastWords(_ name: String, in directory: String) -> String {
        let bytes = FileManager.default.contents(atPath: "\(directory)/\(name).log") ?? Data()
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(5).joined(separator: "\n")
    }
}
