import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineLogs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Show the journal of a machine's kubelet, containerd and nestbox-node.",
        discussion: """
            The machines operator reads it over SSH, also while a machine joins or is cleaned, and hands over 60 KiB at most at a time, \
            cleaned of what would move a terminal's cursor, in the Secret nestbox-machine-answers of its namespace.

            Examples:
              nestbox machine logs rack12-07
              nestbox machine logs rack12-07 --unit kubelet --tail 50
              nestbox machine logs rack12-07 -f --unit ssh.service
            """)

    @Argument(help: "Its name.", completion: NameCompletion.names(of: Machine.self)) var name: String
    @Flag(name: [.customShort("f"), .long], help: "Go on with what comes, until Ctrl-C.") var follow = false
    @Option(help: "How many of the last lines.") var tail: Int = 200
    @Option(
        help: ArgumentHelp("kubelet, containerd, node, or a unit's name; may be given again. Those three unless given.", valueName: "unit"),
        completion: .list(["kubelet", "containerd", "node"]))
    var unit: [String] = []
    @Option(help: ArgumentHelp("How long to wait for an answer: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 60)
    @OptionGroup var operators: OperatorNamespace
    @OptionGroup var connection: Connection

    func validate() throws {
        guard (1...10_000).contains(tail) else { throw ValidationError("--tail must be 1 to 10000") }
    }

    /// How often is asked for more.
    private static let pause = Duration.seconds(2)

    func run() async throws {
        try await connection.run { client, _ in
            var cursor = try await read(client, after: nil)
            while follow {
                try await Task.sleep(for: Self.pause)
                cursor = try await read(client, after: cursor) ?? cursor
            }
        }
    }

    /// Prints what there is; where to go on.
    private func read(_ client: KubernetesClient, after cursor: String?) async throws -> String? {
        let asking = MachineAsking(client: client, limit: timeout)
        let request = MachineRequest(
            id: MachineAsking.newID(), verb: .logs, units: unit.isEmpty ? nil : unit, tail: cursor == nil ? tail : 10_000, after: cursor)
        let id = try await asking.send(request, to: name)
        let answer =
            follow ? try await asking.quietAnswer(to: id, of: name) : try await asking.answer(to: id, of: name, toBe: "looked at")
        guard answer.result == .succeeded else {
            throw CommandFailure("machine \(name): \(Rendering.oneLine(answer.message ?? "it failed"))")
        }
        if let message = answer.message, message.contains(";") { Terminal.say("(\(Rendering.oneLine(message)))") }
        let box = try await client.get(Secret.self, MachineAnswerBox.secretName, namespace: operators.name)
        let suffix = MachineAnswerBox.suffix(machine: name, request: request.id)
        guard let text = box.data?.first(where: { $0.key.hasSuffix(suffix) })?.value.text else {
            if cursor == nil { Terminal.say("The journal has nothing of these units.") }
            return answer.cursor
        }
        for line in text.split(separator: "\n") { Terminal.writeLine(Rendering.oneLine(String(line))) }
        return answer.cursor
    }
}
