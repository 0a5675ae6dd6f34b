import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineRelease: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Give a Quarantined machine back, once somebody has looked at it.",
        discussion: """
            It is never Available at once: what is left of a node is cleaned away, and the check that follows any cleaning must find \
            nothing; otherwise it is Quarantined again, with what was found.

            Example:
              nestbox machine release rack12-07 --wait
            """)

    @Argument(help: "Its name; may be several.", completion: NameCompletion.names(of: Machine.self)) var names: [String]
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            try await MachineAsking(client: client, limit: waiting.timeout).ask(names, toBe: "taken up") { id in
                MachineRequest(id: id, verb: .release)
            }.tell()
            if waiting.wait { try await CleaningWait(client: client, limit: waiting.timeout).wait(for: names) }
        }
    }
}
