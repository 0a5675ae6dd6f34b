import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import SSHClient

extension MachineReconciler {
    /// Nothing is done until somebody says that it was installed anew, or that it need not be.
    func awaitReimage(_ machine: Machine) async throws -> ReconcileResult {
        guard machine.withDefaults().spec?.reuse != .reimage else { return .done }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .reimaging, now.withDefaults().spec?.reuse != .reimage else { return false }
            // What was still there needed an installation.
            let isClean = now.status?.conditions?.named("Clean")?.status == "True"
            let leftovers = now.status?.conditions?.named("Clean")?.message
            now.status?.phase = isClean ? .available : .quarantined
            now.status?.message = isClean ? nil : leftovers
            return true
        }
        return .done
    }

    /// Forgets all that was known of the machine but the count of its claims: another operating system answers there.
    func registerAnew(_ machine: Machine) async throws -> ReconcileResult {
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.isReimaged else { return false }
            // The next epoch: this word is used up.
            now.status = MachineStatus(
                lastEpoch: (now.status?.lastEpoch ?? 0) + 1, message: "installed anew, and not looked at yet",
                previousHostKey: now.status?.hostKey)
            return true
        }
        if changed {
            await events.record(.normal, reason: "Reimaged", message: "installed anew, as somebody said: registered again", on: machine)
        }
        return .done
    }
}

extension Machine {
    /// Why it cannot have been installed anew, as somebody said it was; nil when it may.
    func reimageTrouble(presented: HostKey) -> String? {
        guard let before = status?.previousHostKey, HostKey(before) == presented, spec?.hostKey.flatMap({ HostKey($0) }) != presented
        else { return nil }
        return "it still has the SSH host key from before (\(presented.fingerprint)), and so was not installed anew; where the "
            + "installation brings that very key, name it in spec.hostKey"
    }
}
