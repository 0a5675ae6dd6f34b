import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin
import SSHClient

extension MachineReconciler {
    /// The first look: the host key is pinned, the facts are gathered, and a server that another Machine names is refused.
    func register(_ machine: Machine) async throws -> ReconcileResult {
        let (hostKey, facts) = try await connected(to: machine) { connection in
            (try await connection.hostKey, try await MachineFacts.gather(over: connection))
        }
        if let twin = machines.list().first(where: { $0.name != machine.name && $0.status?.facts?.machineID == facts.machineID }) {
            try await quarantine(
                machine, "the server at \(machine.spec?.address ?? "") is Machine \(twin.name) already; delete one of the two")
            return .done
        }
        let registered = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == nil else { return false }
            now.status?.phase = .available
            now.status?.hostKey = hostKey.description
            now.status?.facts = facts
            now.status?.message = nil
            now.status?.observedGeneration = now.metadata.generation
            var conditions = ConditionSet(now.status?.conditions, generation: now.metadata.generation)
            conditions.set("Reachable", true, reason: "Connected", message: "host key \(hostKey.fingerprint)")
            now.status?.conditions = conditions.list
            return true
        }
        if registered {
            await events.record(.normal, reason: "Registered", message: "host key \(hostKey.fingerprint) is pinned", on: machine)
        }
        return .done
    }
}
