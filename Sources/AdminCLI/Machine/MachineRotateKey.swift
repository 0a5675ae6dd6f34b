import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct MachineRotateKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate-key", abstract: "Change the SSH key of a machine, and of all that share its Secret, once each takes it.",
        discussion: """
            First put the new public key into the machines' authorized_keys beside the old one, as you put that one there. Then this \
            command puts the new private key beside the old one in the Secret, has every machine that uses the Secret tried with it, and \
            only when each has taken it does the new one take the old one's place. Where one refuses, it says which and why, and the old \
            key stays in use. Afterwards the old public key can go from authorized_keys.

            Examples:
              nestbox machine rotate-key rack12-07 --ssh-key rack12-2027
              nestbox machine rotate-key rack12-07 --ssh-key rack12-2027 --dry-run
            """)

    @Argument(help: "A machine that uses the key.", completion: NameCompletion.names(of: Machine.self)) var name: String
    @Option(help: ArgumentHelp("A file with the new private key (Ed25519 or ECDSA).", valueName: "file"), completion: .file())
    var sshKey: String
    @Flag(help: "Try the key on each, and leave it at that.") var dryRun = false
    @Option(help: ArgumentHelp("The operators' namespace.", valueName: "namespace")) var operatorNamespace: String = "nestbox-system"
    @Option(help: ArgumentHelp("How long to wait for each machine: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 120)
    @OptionGroup var connection: Connection

    private static let (current, next) = ("ssh-privatekey", "ssh-privatekey-next")

    func run() async throws {
        let key = try CreateMachine.readKey(sshKey)
        try await connection.run { client, _ in
            let machine = try await client.get(Machine.self, name)
            guard let secret = machine.spec?.sshKeySecret else { throw CommandFailure("machine \(name) names no Secret with a key") }
            let machines = try await client.list(Machine.self).items.filter { $0.spec?.sshKeySecret == secret }.map(\.name).sorted()
            let old = try await client.get(Secret.self, secret, namespace: operatorNamespace).data?[Self.current]
            try await put([Self.next: .string(Base64(text: key).encoded)], into: secret, client)
            do {
                let answers = try await MachineAsking(client: client, limit: timeout).ask(machines, toBe: "tried with the new key") {
                    MachineRequest(id: $0, verb: .tryKey)
                }
                try answers.tell()
            } catch {
                try await put([Self.next: .null], into: secret, client)
                Terminal.say("the key of Secret \(operatorNamespace)/\(secret) stays as it was")
                throw error
            }
            guard !dryRun else {
                try await put([Self.next: .null], into: secret, client)
                return Terminal.say(
                    "all \(machines.count) machines take it; the key of Secret \(operatorNamespace)/\(secret) stays as it was")
            }
            guard try await client.get(Secret.self, secret, namespace: operatorNamespace).data?[Self.current] == old else {
                throw CommandFailure("somebody else changed Secret \(operatorNamespace)/\(secret) meanwhile: it is left as it is now")
            }
            try await put([Self.current: .string(Base64(text: key).encoded), Self.next: .null], into: secret, client)
            Terminal.writeLine("secret/\(secret) has the new key; \(machines.count) machines take it, and the old one may go from them")
        }
    }

    private func put(_ members: [String: JSONValue], into secret: String, _ client: KubernetesClient) async throws {
        _ = try await client.patch(Secret.self, secret, namespace: operatorNamespace, merge: ["data": .object(members)])
    }
}
