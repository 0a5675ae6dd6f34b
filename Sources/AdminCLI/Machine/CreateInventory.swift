import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import SSHClient

/// Makes all Machines of an inventory: each checked before the first is sent, many at a time. Those that are there as they stand in the
/// files stay as they are, so that what was interrupted is simply begun again.
struct CreateInventory {
    var inventory: Inventory
    var operatorNamespace: String
    var options: CreateOptions
    /// How many requests are under way at a time.
    private static let parallel = 16

    private enum Outcome { case created(Machine), failed(String, String) }

    func run(with client: KubernetesClient) async throws {
        let (new, unchanged, problems) = inventory.compared(with: try await client.list(Machine.self).items)
        try Self.refuse(problems + (try await keyProblems(client)))
        for machine in unchanged { say(machine, "unchanged") }
        let failures = try await create(new, with: client)
        if !failures.isEmpty, !options.waiting.wait { throw Self.failure(failures, of: inventory.entries.count) }
        let failed = Set(failures.map(\.name))
        if options.waiting.wait {
            try await RegistrationWaiting(
                client: client, names: inventory.machines.map(\.name).filter { !failed.contains($0) }, limit: options.waiting.timeout
            ).wait()
            if !failures.isEmpty { throw Self.failure(failures, of: inventory.entries.count) }
        }
    }

    /// All that is wrong, and nothing is sent.
    static func refuse(_ problems: [String]) throws {
        guard !problems.isEmpty else { return }
        let most = 50
        let more = problems.count > most ? "\n  and \(problems.count - most) more" : ""
        throw CommandFailure(
            "nothing was made, for:\n" + problems.prefix(most).map { "  \(Rendering.oneLine($0))" }.joined(separator: "\n") + more,
            exitCode: .validationFailure)
    }

    private static func failure(_ failures: [(name: String, why: String)], of count: Int) -> CommandFailure {
        let table = Rendering.table([["NAME", "REASON"]] + failures.map { [$0.name, $0.why] }, indent: 2)
        return CommandFailure(
            "\(failures.count) of \(count) machines could not be made; run it again once that is mended, those that are there stay as they are:\n\(table.dropLast())"
        )
    }

    private func create(_ machines: [Machine], with client: KubernetesClient) async throws -> [(name: String, why: String)] {
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var rest = machines[...]
            func next() {
                guard let machine = rest.popFirst() else { return }
                group.addTask {
                    do {
                        return .created(try await client.create(machine))
                    } catch let error as KubernetesError {
                        return .failed(machine.name, "\(error)")
                    }
                }
            }
            for _ in 0..<Self.parallel { next() }
            var failures: [(name: String, why: String)] = []
            for try await outcome in group {
                next()
                switch outcome {
                case .created(let machine): say(machine, "created")
                case .failed(let name, let why): failures.append((name, why))
                }
            }
            return failures.sorted { $0.name < $1.name }
        }
    }

    private func say(_ machine: Machine, _ what: String) {
        let name = Rendering.name(Machine.self, machine.name)
        Terminal.writeLine(options.format == .name ? name : "\(name) \(what)")
    }

    /// Keys that are not there, or that nobody could use: of those Secrets that this user may read.
    private func keyProblems(_ client: KubernetesClient) async throws -> [String] {
        var problems: [String] = []
        let specs = inventory.machines.compactMap { $0.withDefaults().spec }
        for name in Set(specs.flatMap { [$0.sshKeySecret, $0.jumpHost?.sshKeySecret] }.compactMap { $0 }).sorted() {
            do {
                guard let secret = try await client.find(Secret.self, name, namespace: operatorNamespace) else {
                    problems.append(
                        "there is no Secret \(operatorNamespace)/\(name) for the SSH key: kubectl -n \(operatorNamespace) create secret generic "
                            + "\(name) --type kubernetes.io/ssh-auth --from-file=ssh-privatekey=FILE")
                    continue
                }
                guard let text = secret.data?["ssh-privatekey"]?.text else {
                    problems.append("Secret \(operatorNamespace)/\(name) has no ssh-privatekey")
                    continue
                }
                _ = try SSHPrivateKey(text)
            } catch SSHError.unusableKey(let reason) {
                problems.append("Secret \(operatorNamespace)/\(name): \(reason)")
            } catch let error as KubernetesError where error.isForbidden {
                continue
            }
        }
        return problems
    }
}
