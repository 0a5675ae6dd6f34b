import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Have a machine looked at now, and say whether it is sound.",
        discussion: """
            It is reached, its facts are gathered anew, its clock and disks are looked at, and whether it is whose it should be: one that \
            nobody uses has nothing of a node on it, and a node's services run. Nothing is changed. The exit code is 0 when all is sound, \
            and 1 when something is not.

            Examples:
              nestbox machine check rack12-07
              nestbox machine check rack12-07 rack12-08 -o json
            """)

    @Argument(help: "Its name; may be several.", completion: NameCompletion.names(of: Machine.self)) var names: [String]
    @Option(name: [.customShort("o"), .customLong("output")], help: "The form of what is printed.") var format: Format = .table
    @Option(help: ArgumentHelp("How long to wait for an answer: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 180)
    @OptionGroup var connection: Connection

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, yaml }

    func run() async throws {
        try await connection.run { client, _ in
            let answers = try await MachineAsking(client: client, limit: timeout).ask(names, toBe: "looked at") { id in
                MachineRequest(id: id, verb: .check)
            }
            switch format {
            case .json: for (_, answer) in answers { Terminal.write(try Rendering.json(answer)) }
            case .yaml: for (_, answer) in answers { Terminal.write("---\n" + (try Rendering.yaml(answer))) }
            case .table: for (name, answer) in answers { Terminal.write(Self.text(name, answer)) }
            }
            let wrong = answers.filter { $0.answer.result != .succeeded }.map(\.name)
            if !wrong.isEmpty { throw CommandFailure("not sound: \(wrong.joined(separator: ", "))") }
        }
    }

    static func text(_ name: String, _ answer: MachineAnswer) -> String {
        let rows = (answer.findings ?? []).map { [$0.name, $0.passed ? "ok" : "WRONG", $0.message] }
        let verdict = answer.result == .succeeded ? "sound" : rows.isEmpty ? answer.message ?? "not sound" : "not sound"
        return "\(name): \(Rendering.oneLine(verdict))\n"
            + (rows.isEmpty ? "" : Rendering.table([["CHECK", "RESULT", "MESSAGE"]] + rows, indent: 2))
    }
}
