import ArtifactStore
import FoundationEssentials

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
    public func run(in place: Place, _ program: String, _ arguments: [String] = []) async throws -> LabCommandResult {
        let paths = self.paths
        guard let process = try await offPool({ try SupervisorProcess.running(paths) }) else {
            throw LabError("the lab \(name) is not up: nestbox lab up --name \(name)")
        }
        // With the process namespace comes a /proc in which a machine's number means something.
        var command = process.entering(["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
        if case .machine(let machine) = place {
            guard let number = try await offPool({ try Files.text(ifThere: "\(paths.machine(machine))/process") })?
                .split(whereSeparator: \.isNewline).first
            else { throw LabError("the lab \(name) has no machine \(machine) that runs") }
            command += ["nsenter", "--target", "\(number)", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd", "--"]
        }
        let outcome = try await Command.result("nsenter", command + [program] + arguments, purpose: "running \(program) in the lab \(name)")
        return LabCommandResult(succeeded: outcome.succeeded, output: outcome.output, error: outcome.error)
    }

    /// Puts images into the host's containerd; those that are there already cost nothing.
    public func importImages(_ images: [ImageArchive]) async throws {
        try await importImages(images, tools: try await artifacts.nodeTools())
    }

    func importImages(_ images: [ImageArchive], tools: NodeTools) async throws {
        let path = paths.importedImages
        var imported = try await offPool { try Files.decode([String: String].self, ifThere: path) } ?? [:]
        let missing = images.filter { imported[$0.reference] != $0.sha256 }
        guard !missing.isEmpty else { return }
        try await phase("images") {
            for image in missing {
                let result = try await containerd(tools, ["images", "import", image.path])
                guard result.succeeded else {
                    throw LabError("the image \(image.reference) could not be imported from \(image.path): \(Command.lastLines(result.error))")
                }
                imported[image.reference] = image.sha256
                let record = imported
                try await offPool { try Files.encode(record, to: path) }
            }
        }
    }

    func containerdAnswers(_ tools: NodeTools) async throws -> Bool {
        try await containerd(tools, ["version"]).succeeded
    }

    /// ctr, from this computer's own namespaces but for the mounts, among which containerd's socket is.
    private func containerd(_ tools: NodeTools, _ arguments: [String]) async throws -> Command.Outcome {
        let paths = self.paths
        guard let process = try await offPool({ try SupervisorProcess.running(paths) }) else {
            throw LabError("the lab \(name) is not up: nestbox lab up --name \(name)")
        }
        return try await Command.result(
            "nsenter",
            process.entering(["--mount"])
                + [tools.program("ctr"), "--address", HostConfiguration.containerdSocket, "--namespace", "k8s.io"] + arguments,
            purpose: "talking to the host's containerd")
    }
}
