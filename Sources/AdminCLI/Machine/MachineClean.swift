import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineClean: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean", abstract: "Clean a machine that is Available or Quarantined anew.",
        discussion: """
            All that a node leaves behind is taken away, whoever it was that put it there; then a check looks for what is left, and the \
            machine is Available, or Quarantined with what was found. One in use is refused, unless --force has its node drained first; its \
            pool then takes another machine.

            Examples:
              nestbox machine clean rack12-07 --wait
              nestbox machine clean rack12-07 --force --wait --timeout 30m
            """)

    @Argument(help: "Its name; may be several.", completion: NameCompletion.names(of: Machine.self)) var names: [String]
    @Flag(help: "Also one in use: its node is drained first.") var force = false
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            let answers = try await MachineAsking(client: client, limit: waiting.timeout).ask(names, toBe: "taken up") { id in
                MachineRequest(id: id, verb: .clean, force: force ? true : nil)
            }
            try answers.tell()
            if waiting.wait { try await CleaningWait(client: client, limit: waiting.timeout).wait(for: names) }
        }
    }
}

/// Waits until Machines are through with being cleaned.
struct CleaningWait {
    var client: KubernetesClient
    var limit: WaitLimit

    func wait(for names: [String]) async throws {
        for name in names {
            try await Waiting<Machine>(client: client, name: name, limit: limit).wait("clean", whileThere: Self.missing)
            Terminal.say("\(Rendering.name(Machine.self, name)) is clean")
        }
    }

    static func missing(_ machine: Machine) throws -> String? {
        switch machine.status?.phase {
        case .quarantined:
            throw CommandFailure("machine \(machine.name) is Quarantined: \(machine.status?.message ?? "the operator did not say why")")
        case .draining, .cleaning: machine.status?.message ?? machine.status?.plan?.current ?? machine.status?.phase?.rawValue
        // A pool may have claimed it at once.
        case .available, .claimed, .joining, .ready, .upgrading, .reimaging, nil: nil
        }
    }
}
