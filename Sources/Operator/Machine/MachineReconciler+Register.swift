import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin
import SSHClient

extension MachineReconciler {
    /// The first look: the host key is pinned, the facts are gathered, and a server that another Machine names is refused.
    func register(_ machine: Machine) async throws -> ReconcileResult {
        if let refusal = try await refusal(of: machine) { return try await refuse(machine, refusal.reason, refusal.message) }
        let (hostKey, facts) = try await connected(to: machine) { connection in
            (try await connection.hostKey, try await MachineFacts.gather(on: SSHMachineShell(connection)))
        }
        if let trouble = machine.reimageTrouble(presented: hostKey) { return try await refuse(machine, "NotReimaged", trouble) }
        var seen = machine
        seen.status = MachineStatus(facts: facts)
        if let clash = seen.clash(with: try await client.list(Machine.self).items) {
            return try await refuse(machine, "RegisteredTwice", clash)
        }
        // Before it may be claimed: a pool that wants none with a GPU must see that it has one.
        try await label(machine, by: facts)
        let registered = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == nil else { return false }
            now.status?.phase = .available
            now.status?.hostKey = hostKey.description
            now.status?.facts = facts
            now.status?.previousHostKey = nil
            now.status?.message = nil
            now.status?.observedGeneration = now.metadata.generation
            now.setCondition("Registered", true, reason: "Registered", message: "")
            now.setCondition("Reachable", true, reason: "Connected", message: "host key \(hostKey.fingerprint)")
            return true
        }
        if registered {
            await events.record(.normal, reason: "Registered", message: "host key \(hostKey.fingerprint) is pinned", on: machine)
        }
        return .done
    }

    /// Why it cannot be registered, as far as that is to be seen without a look at it.
    func refusal(of machine: Machine) async throws -> (reason: String, message: String)? {
        let problems = machine.validate()
        guard problems.isEmpty else { return ("InvalidSpec", problems.map(\.description).joined(separator: "; ")) }
        // Read from the API, not from a cache: the other one may have been registered a moment ago.
        return machine.clash(with: try await client.list(Machine.self).items).map { ("RegisteredTwice", $0) }
    }

    /// It stays unregistered, with the reason; a change of its spec or of the other Machine brings it in.
    func refuse(_ machine: Machine, _ reason: String, _ message: String) async throws -> ReconcileResult {
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == nil else { return false }
            now.setCondition("Registered", false, reason: reason, message: message)
            now.status?.message = message
            return true
        }
        if changed { await events.record(.warning, reason: reason, message: message, on: machine) }
        return .requeue(after: .seconds(60))
    }
}
