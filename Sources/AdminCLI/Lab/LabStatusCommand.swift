import ArgumentParser
import FoundationEssentials
import Lab

/// `nestbox lab status`: what there is of a lab.
struct LabStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what there is of a lab. Exits with 1 unless it is up.")

    @OptionGroup var options: LabOptions

    @Option(name: .shortAndLong, help: "table or json.")
    var output: Format = .table

    enum Format: String, ExpressibleByArgument { case table, json }

    func run() async throws {
        let status = try await options.lab().status()
        switch output {
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            Terminal.write(String(decoding: try encoder.encode(status), as: UTF8.self) + "\n")
        case .table:
            Terminal.write(Self.table(status))
        }
        if status.phase != .up { throw ExitCode(1) }
    }

    static func table(_ status: LabStatus) -> String {
        var lines = ["lab \(status.name): \(status.phase.rawValue)"]
        if let version = status.kubernetesVersion, let address = status.hostAddress { lines[0] += ", Kubernetes \(version) at \(address)" }
        for part in status.components + status.machines {
            var line = "  " + part.name.padding(toLength: 26) + part.phase.rawValue.padding(toLength: 12) + "\(part.restarts) restarts"
            if let end = part.lastEnd { line += ", last: \(end)" }
            lines.append(line)
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension String {
    fileprivate func padding(toLength length: Int) -> String { self + String(repeating: " ", count: max(1, length - count)) }
}
