import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineQuarantine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: "Take a machine out of use until somebody has looked at it.",
        discussion: """
            The node of one in use is drained first, and its pool takes another machine; the machine is left as it is then, and not \
            cleaned. With --now it is not drained: its pods are lost, as with a machine that dies.

            Examples:
              nestbox machine quarantine rack12-07 --reason "fan 2 is dead, ticket 4711"
              nestbox machine quarantine rack12-07 --reason "may be broken into" --now
            """)

    @Argument(help: "Its name; may be several.", completion: NameCompletion.names(of: Machine.self)) var names: [String]
    @Option(help: "Why, for whoever finds it so.") var reason: String
    @Flag(help: "Do not drain its node.") var now = false
    @Option(help: ArgumentHelp("How long to wait for an answer: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 60)
    @OptionGroup var connection: Connection

    func validate() throws {
        guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason must say something") }
        guard reason.unicodeScalars.count <= 1000 else { throw ValidationError("--reason may have 1000 characters at most") }
    }

    func run() async throws {
        try await connection.run { client, _ in
            try await MachineAsking(client: client, limit: timeout).ask(names, toBe: "taken up") { id in
                MachineRequest(id: id, verb: .quarantine, reason: reason, force: now ? true : nil)
            }.tell()
        }
    }
}
