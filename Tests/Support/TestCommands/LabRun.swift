import Foundation

/// A lab that is up, by `nestbox lab` as a person uses it: for looking inside, and for breaking things.
public struct LabRun: Sendable {
    public let name: String
    /// For the lab's host cluster, as its admin.
    public let host: CommandRun

    /// Brings one up; machines answer SSH then, and nothing is installed yet.
    public static func up(
        _ name: String, machines: Int, hostNodes: Int = 1, version: String, tenantVersions: [String] = [], by builder: CommandRun
    ) async throws -> LabRun {
        let versions = tenantVersions.flatMap { ["--tenant-version", $0] }
        // Many machines that boot at once keep each other from it, on a few cores.
        for count in Array(stride(from: 5, to: machines, by: 5)) + [machines] {
            try await builder.nestbox(
                ["lab", "up", "--name", name, "--machines", "\(count)", "--host-nodes", "\(hostNodes)", "--version", version] + versions)
        }
        var host = builder
        for line in try await builder.nestbox("lab", "env", "--name", name).split(separator: "\n") {
            let pair = line.replacingOccurrences(of: "export ", with: "").split(separator: "=", maxSplits: 1)
            host.environment[String(pair[0])] = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
        }
        return LabRun(name: name, host: host)
    }

    /// Installs Nestbox, and registers every machine.
    public func install() async throws {
        try await host.run("scripts/install-in-lab.sh", [])
        try await host.run("scripts/register-lab-machines.sh", [name])
    }

    /// Runs a shell's text in the host's namespaces, where pods have addresses.
    @discardableResult
    public func onHost(_ script: String) async throws -> String {
        try await host.nestbox("lab", "exec", "--name", name, "--", "bash", "-c", script)
    }

    /// Runs a shell's text on a machine as its root, past everything that Nestbox does.
    @discardableResult
    public func onMachine(_ machine: String, _ script: String) async throws -> String {
        try await host.nestbox("lab", "exec", "--name", name, "--machine", machine, "--", "sh", "-c", script)
    }

    /// Starts the machines that were switched off, and waits until all answer.
    public func switchOn() async throws {
        try await host.nestbox("lab", "up", "--name", name)
    }
}
