import ArgumentParser
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import SSHClient

struct CreateMachine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Register a machine that answers SSH, or all of an inventory.",
        discussion: """
            The private key is stored in a Secret of the operators' namespace, which only the operator reads, and which goes when the \
            machine does. The host key is taken at the first connection and pinned, unless it is given.

            Examples:
              nestbox create machine worker-1 --address 192.0.2.10 --ssh-key ~/.ssh/id_ed25519 --wait
              nestbox create machine worker-2 --address 192.0.2.11 --user admin --ssh-key-secret fleet-key
              nestbox create machine worker-3 --address 10.1.0.3 --ssh-key-secret fleet-key --jump-host admin@bastion.example.com
              nestbox create machine -f nodepools/rack12.yaml --wait
              generate-inventory | nestbox create machine -f - -f more-racks/

            Of files each machine is checked before the first is sent. Those that are there already, as they stand in the files, stay as \
            they are: what was interrupted is begun again by the same command. With --wait each is told as the operator has looked at it, \
            and the exit code is 1 when one could not be.
            """,
        aliases: Machine.noun.aliases)

    @Argument(help: "The machine's name; its node has the same.") var name: String?
    @Option(
        name: [.customShort("f"), .customLong("filename")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Machines as YAML or JSON: a file, a folder, or - for standard input; may be given again.", valueName: "file"),
        completion: .file())
    var filename: [String] = []
    @Option(help: "Its IPv4 address.") var address: String?
    @Option(help: "sshd's port (default: 22).") var port: Int?
    @Option(help: "root (default), or a user with passwordless sudo.") var user: String?
    @Option(help: ArgumentHelp("A file with the private key (Ed25519 or ECDSA).", valueName: "file"), completion: .file())
    var sshKey: String?
    @Option(help: ArgumentHelp("A Secret of the operators' namespace that has the key already.", valueName: "name"))
    var sshKeySecret: String?
    @Option(help: ArgumentHelp("The host key to trust, as in known_hosts: 'ssh-ed25519 AAAA...'.", valueName: "key")) var hostKey: String?
    @Option(help: "Who it may go to after it was cleaned.") var reuse: ReusePolicy?
    @Option(
        help: ArgumentHelp("A namespace whose pools may claim it; may be given again.", valueName: "namespace"),
        completion: NameCompletion.namespaces)
    var allow: [String] = []
    @Option(help: ArgumentHelp("A label; may be given again.", valueName: "key=value")) var label: [KeyValue] = []
    @Option(
        help: ArgumentHelp(
            "What passes SSH on to it, where the operator cannot reach it: its address, or user@address:port.", valueName: "host"))
    var jumpHost: JumpHostArgument?
    @Option(help: ArgumentHelp("The Secret with the jump host's key; else the machine's.", valueName: "name"))
    var jumpHostKeySecret: String?
    @OptionGroup var operators: OperatorNamespace
    @OptionGroup var options: CreateOptions
    @OptionGroup var connection: Connection

    func validate() throws {
        guard filename.isEmpty else {
            let others: [Any?] = [name, address, port, user, sshKey, sshKeySecret, hostKey, reuse, jumpHost, jumpHostKeySecret]
            guard others.allSatisfy({ $0 == nil }), allow.isEmpty, label.isEmpty else {
                throw ValidationError("with -f all that a machine is stands in the file: leave out its name and what describes it")
            }
            return
        }
        guard name != nil else { throw ValidationError("give a name, or -f FILE") }
        guard address != nil else { throw ValidationError("give its --address") }
        guard jumpHostKeySecret == nil || jumpHost != nil else { throw ValidationError("--jump-host-key-secret goes with --jump-host") }
        guard (sshKey == nil) != (sshKeySecret == nil) else {
            throw ValidationError("give one of --ssh-key FILE and --ssh-key-secret NAME")
        }
    }

    func run() async throws {
        guard let name else { return try await runInventory() }
        let machine = machine(name)
        try CommandFailure.refuse(machine.validate(), of: "machine \(name)")
        let key = try sshKey.map(Self.readKey)
        if options.dryRun { return try options.show(machine) }
        try await connection.run { client, _ in
            if let key {
                try await register(machine, key: key, with: client)
            } else {
                try await options.create(machine, with: client)
            }
            guard options.waiting.wait else { return }
            try await Waiting<Machine>(client: client, name: name, limit: options.waiting.timeout)
                .wait("known to the operator", whileThere: Self.unknown)
            if let hostKey = try await client.get(Machine.self, name).status?.hostKey { Terminal.say("host key pinned: \(hostKey)") }
        }
    }

    private func runInventory() async throws {
        let inventory = try Inventory.read(filename)
        try CreateInventory.refuse(inventory.problems)
        if options.dryRun {
            for (index, machine) in inventory.machines.enumerated() {
                if index > 0, options.format == nil || options.format == .yaml { Terminal.writeLine("---") }
                try options.show(machine)
            }
            return
        }
        try await connection.run { client, _ in
            try await CreateInventory(inventory: inventory, operatorNamespace: operators.name, options: options).run(with: client)
        }
    }

    private static func unknown(_ machine: Machine) throws -> String? {
        guard machine.status?.phase != .quarantined else {
            throw CommandFailure("machine \(machine.name) is Quarantined: \(machine.status?.message ?? "the operator did not say why")")
        }
        return machine.status?.phase == nil ? (machine.status?.message ?? "the operator has not seen it yet") : nil
    }

    private func machine(_ name: String) -> Machine {
        let spec = MachineSpec(
            address: address, port: port, user: user, sshKeySecret: sshKeySecret ?? "ssh-\(name)", hostKey: hostKey,
            allowedNamespaces: allow.isEmpty ? nil : allow, reuse: reuse, jumpHost: jumpHost?.spec(keySecret: jumpHostKeySecret))
        return Machine(metadata: ObjectMeta(name: name, labels: label.dictionary), spec: spec)
    }

    /// A key that the operator could not use is refused here, where the person is who has another.
    static func readKey(_ file: String) throws -> String {
        let path = (file as NSString).expandingTildeInPath
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("--ssh-key: there is no file \(path), or it cannot be read")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        do {
            _ = try SSHPrivateKey(text)
        } catch {
            throw CommandFailure("--ssh-key \(file): \(error)", exitCode: .validationFailure)
        }
        return text
    }

    /// The key is there before the machine that names it, and then becomes the machine's own: it goes when the machine does.
    private func register(_ machine: Machine, key: String, with client: KubernetesClient) async throws {
        let name = machine.name
        // A machine of that name has its key under the same name.
        guard try await client.find(Machine.self, name) == nil else {
            throw CommandFailure("machine \(name) is there already: nestbox describe machine \(name)")
        }
        var secret = Secret(metadata: ObjectMeta(name: "ssh-\(name)", namespace: operators.name))
        secret.type = "kubernetes.io/ssh-auth"
        secret.stringData = ["ssh-privatekey": key]
        do {
            _ = try await client.apply(secret, fieldManager: Self.fieldManager)
        } catch let error as KubernetesError where error.isNotFound {
            throw CommandFailure(
                "there is no namespace \(operators.name) for the SSH key: is Nestbox installed there (kubectl apply -k manifests/operator), "
                    + "or under another name (--operator-namespace)?")
        }
        try await options.create(machine, with: client)
        let owner = try await client.get(Machine.self, name)
        secret.metadata.ownerReferences = [
            OwnerReference(
                apiVersion: Machine.resourceType.apiVersion, kind: Machine.resourceType.kind, name: name, uid: owner.metadata.uid ?? "")
        ]
        _ = try await client.apply(secret, fieldManager: Self.fieldManager)
    }

    private static let fieldManager = "nestbox-cli"
}
