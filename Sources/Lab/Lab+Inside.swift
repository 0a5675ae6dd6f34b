import Subprocess

/// What a command inside a lab said.
public struct LabCommandResult: Sendable, Equatable {
    public var succeeded: Bool
    public var output: String
    public var error: String
    public init(succeeded: Bool, output: String, error: String) {
        self.succeeded = succeeded
        self.output = output
        self.error = error
    }
}

extension Lab {
    /// Whose namespaces a command runs in.
    public enum Place: Sendable, Equatable {
        case host
        case machine(String)
    }

    /// Runs a program inside: in the host's namespaces, or in a machine's. For looking, and for tests that break things.
    ///
    /// - Parameter readsInput: whether it reads this program's standard input; else it finds none.
    public func run(
        in place: Place, _ program: String, _ arguments: [String] = [], readsInput: Bool = false
    ) async throws -> LabCommandResult {
        let paths = self.paths
        guard let process = try await offPool({ try SupervisorProcess.running(paths) }) else {
            throw LabError("the lab \(name) is not up: nestbox lab up --name \(name)")
        }
        // With the process namespace comes a /proc in which a machine's number means something.
        var command = process.entering(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
        if case .machine(let machine) = place {
            guard
                let number = try await offPool({ try Files.text(ifThere: "\(paths.machine(machine))/process") })?
                    .split(whereSeparator: \.isNewline).first
            else { throw LabError("the lab \(name) has no machine \(machine) that runs") }
            command += [
                "nsenter", "--target", "\(number)", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--",
            ]
        }
        let purpose = "running \(program) in the lab \(name)"
        let whole = command + [program] + arguments
        let outcome =
            readsInput
            ? try await Command.result("nsenter", whole, input: .currentStandardInput, purpose: purpose)
            : try await Command.result("nsenter", whole, purpose: purpose)
        return LabCommandResult(succeeded: outcome.succeeded, output: outcome.output, error: outcome.error)
    }
}
