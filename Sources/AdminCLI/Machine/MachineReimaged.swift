import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineReimaged: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reimaged", abstract: "Say that a machine was installed anew: it is registered again and may go to any tenant.",
        discussion: """
            For machines with `reuse: Reimage`, which wait in phase Reimaging after they were cleaned, and for those that are \
            Quarantined. The new system must let the Machine's SSH key in. Its host key is pinned at the first connection, as that of \
            a new machine.

            Examples:
              nestbox machine reimaged worker-1 --wait
              kubectl get machines -o json | jq -r '.items[] | select(.status.phase == "Reimaging") | .metadata.name'
            """)

    @Argument(help: "The machine's name.", completion: NameCompletion.names(of: Machine.self)) var name: String
    @OptionGroup var waiting: WaitOptions
    @OptionGroup var connection: Connection

    func run() async throws {
        try await connection.run { client, _ in
            let machine = try await client.get(Machine.self, name)
            guard let phase = machine.status?.phase, [.reimaging, .quarantined].contains(phase) else {
                throw CommandFailure(
                    "machine \(name) is \(machine.status?.phase?.rawValue ?? "not registered yet"): only one that is Reimaging or Quarantined is "
                        + "taken as installed anew")
            }
            _ = try await client.patch(
                Machine.self, name, merge: ["metadata": ["annotations": [Reimage.annotation: .string(machine.reimageEpoch)]]])
            Terminal.writeLine("\(Rendering.name(Machine.self, name)) reimaged")
            guard waiting.wait else { return }
            try await Waiting<Machine>(client: client, name: name, limit: waiting.timeout).wait("registered again") { now in
                now.status?.phase == .available ? nil : now.status?.message ?? "the operator has not seen it yet"
            }
        }
    }
}
