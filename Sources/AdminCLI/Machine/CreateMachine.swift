import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

struct CreateMachine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Register a machine that answers SSH.",
        discussion: """
            The private key is stored in a Secret of the operators' namespace, which only the operator reads. The host key is
            taken at the first connection and pinned, unless it is given.

            Examples:
              nestbox create machine worker-1 --address 192.0.2.10 --ssh-key ~/.ssh/id_ed25519 --wait
              nestbox create machine worker-2 --address 192.0.2.11 --user admin --ssh-key-secret fleet-key
            """)

    @Argument(help: "The machine's name; its node has the same.") var name: String
    @Option(help: "Its address.") var address: String
    @Option(help: "sshd's port.") var port: Int?
    @Option(help: "root, or a user with passwordless sudo.") var user: String?
    @Option(help: "A file with the private key (Ed25519 or ECDSA).") var sshKey: String?
    @Option(help: "A Secret of the operators' namespace that has the key already.") var sshKeySecret: String?
    @Option(help: "The host key to trust, as in known_hosts: 'ssh-ed25519 AAAA...'.") var hostKey: String?
    @Option(help: "Who it may go to after it was cleaned: SameTenant or AnyTenant.") var reuse: String?
    @Option(help: "A namespace whose pools may claim it; may be given again.") var allow: [String] = []
    @Option(help: "A label, key=value; may be given again.") var label: [String] = []
    @Option(help: "The operators' namespace.") var operatorNamespace: String = "nestbox-system"
    @OptionGroup var options: CreateOptions
    @OptionGroup var connection: Connection

    func validate() throws {
        guard (sshKey == nil) != (sshKeySecret == nil) else {
            throw ValidationError("give one of --ssh-key FILE and --ssh-key-secret NAME")
        }
    }

    func run() async throws {
        let machine = try machine()
        if options.dryRun { return try options.show(machine) }
        try await connection.run { client, _ in
            if let sshKey { try await store(keyFile: sshKey, with: client) }
            _ = try await options.create(machine, with: client)
            guard options.wait else { return }
            try await Waiting(timeout: .seconds(options.timeout)).wait(for: "machine \(name)") {
                let now = try await client.get(Machine.self, name)
                if now.status?.phase == .quarantined { throw CommandFailure(now.status?.message ?? "machine \(name) is Quarantined") }
                return now.status?.phase == nil ? (now.status?.message ?? "the operator has not seen it yet") : nil
            }
            if let hostKey = try await client.get(Machine.self, name).status?.hostKey { Terminal.say("host key pinned: \(hostKey)") }
        }
    }

    private var secretName: String { sshKeySecret ?? "ssh-\(name)" }

    private func machine() throws -> Machine {
        var spec = MachineSpec(address: address, port: port, user: user, sshKeySecret: secretName, hostKey: hostKey)
        if !allow.isEmpty { spec.allowedNamespaces = allow }
        if let reuse {
            guard let policy = ReusePolicy(rawValue: reuse) else {
                throw ValidationError("--reuse: \"\(reuse)\" is not one of \(ReusePolicy.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            spec.reuse = policy
        }
        var labels: [String: String] = [:]
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("--label: \"\(text)\" is not key=value") }
            labels[String(parts[0])] = String(parts[1])
        }
        let machine = Machine(metadata: ObjectMeta(name: name, labels: labels.isEmpty ? nil : labels), spec: spec)
        let problems = machine.withDefaults().validate()
        guard problems.isEmpty else { throw ValidationError(problems.map(\.description).joined(separator: "\n")) }
        return machine
    }

    private func store(keyFile: String, with client: KubernetesClient) async throws {
        guard let key = FileManager.default.contents(atPath: (keyFile as NSString).expandingTildeInPath) else {
            throw CommandFailure("--ssh-key: cannot read \(keyFile)")
        }
        var secret = Secret(metadata: ObjectMeta(name: secretName, namespace: operatorNamespace))
        secret.type = "kubernetes.io/ssh-auth"
        secret.stringData = ["ssh-privatekey": String(decoding: key, as: UTF8.self)]
        _ = try await client.apply(secret, fieldManager: "nestbox-cli")
    }
}
