import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import SSHClient

struct MachineAcceptHostKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept-host-key", abstract: "Trust a machine's new SSH host key, after it was reinstalled.",
        discussion: """
            Without --fingerprint it says what is pinned and what the machine presents, and changes nothing. Compare that with what the \
            server's own console shows (ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub), for whoever stands in between presents a key \
            of theirs. It is pinned only if it is still what the machine presents then. A jump host's key is accepted in the same way.

            Examples:
              nestbox machine accept-host-key rack12-07
              nestbox machine accept-host-key rack12-07 --fingerprint SHA256:Pdd8oBxU9o2pBm1gnOkDUzWVBWcyAq5yLNAzKWSdtsg
            """)

    @Argument(help: "Its name; may be several, such as those behind one jump host.", completion: NameCompletion.names(of: Machine.self))
    var names: [String]
    @Option(help: ArgumentHelp("The key that is expected.", valueName: "SHA256:...")) var fingerprint: String?
    @Option(help: ArgumentHelp("How long to wait for an answer: seconds, or 90s, 10m.", valueName: "time"))
    var timeout = WaitLimit(seconds: 60)
    @OptionGroup var connection: Connection

    func validate() throws {
        guard let fingerprint else { return }
        guard fingerprint.hasPrefix("SHA256:"), fingerprint.count > 20 else {
            throw ValidationError("--fingerprint is what ssh-keygen -l shows: SHA256: and 43 characters")
        }
    }

    func run() async throws {
        try await connection.run { client, _ in
            let asking = MachineAsking(client: client, limit: timeout)
            if let fingerprint {
                return try await asking.ask(names, toBe: "looked at") { id in
                    MachineRequest(id: id, verb: .acceptHostKey, fingerprint: fingerprint)
                }.tell()
            }
            for name in names {
                let machine = try await client.get(Machine.self, name)
                let keys = [
                    ("pinned", machine.status?.hostKey ?? machine.spec?.hostKey),
                    ("pinned for the jump host", machine.spec?.jumpHost?.hostKey ?? machine.status?.jumpHostKey),
                ]
                for (what, key) in keys {
                    if let key = key.flatMap({ HostKey($0) }) { Terminal.say("\(name): \(what): \(key.fingerprint) (\(key.type))") }
                }
            }
            // What it presents is for the operator to see; without the expected one it accepts none.
            try await asking.ask(names, toBe: "looked at") { MachineRequest(id: $0, verb: .acceptHostKey) }.tell()
        }
    }
}
