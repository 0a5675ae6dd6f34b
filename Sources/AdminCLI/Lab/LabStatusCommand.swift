import ArgumentParser
import Lab

/// `nestbox lab status`: what there is of a lab.
struct LabStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show what there is of a lab. Exits with 1 unless it is up.",
        discussion: "Examples:\n  nestbox lab status\n  nestbox lab status --name test -o json")

    @OptionGroup var options: LabOptions

    @Option(name: .shortAndLong, help: "The form of what is printed.")
    var output: Format = .table

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

    func run() async throws {
        let status = try await options.lab().status()
        switch output {
        case .json:
            Terminal.write(try Rendering.json(status))
        case .table:
            Terminal.write(Self.table(status))
        }
        if status.phase != .up { throw ExitCode(1) }
    }

    static func table(_ status: LabStatus) -> String {
        var title = "lab \(status.name): \(status.phase.rawValue)"
        if let version = status.kubernetesVersion, let address = status.hostAddress { title += ", Kubernetes \(version) at \(address)" }
        let rows = (status.components + status.machines).map { part in
            [part.name, part.phase.rawValue, "\(part.restarts) restarts", part.lastEnd.map { "last: \($0)" } ?? ""]
        }
        return title + "\n" + Rendering.table(rows, indent: 2)
    }
}
