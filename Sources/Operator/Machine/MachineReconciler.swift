import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI
import NodeJoin
import SSHClient

/// What is done on a machine over SSH: looked at when it is registered, joined when it is claimed, upgraded in place,
/// cleaned when it is given back. For one that nobody reaches, what its owner runs there.
struct MachineReconciler: Reconciler {
    static let finalizer = "nestbox.dev/machine"

    let client: KubernetesClient
    let artifacts: ArtifactStore
    let nodeProgram: LocalFile
    /// What machines that nobody reaches fetch by themselves.
    let published: PublishedFiles
    let events: EventRecorder
    let operatorNamespace: String
    let logger: Logger

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard var machine = try await client.find(Machine.self, key) else {
            published.withdraw(key.name)
            return .done
        }
        if machine.metadata.isBeingDeleted, machine.status?.claim == nil || machine.status?.phase == .quarantined {
            try await client.removeFinalizer(Self.finalizer, from: machine)
            return .done
        }
        if !machine.metadata.isBeingDeleted { try await client.addFinalizer(Self.finalizer, to: &machine) }

        if machine.isReimaged { return try await registerAnew(machine) }
        if machine.joinsByCommand { return try await lookAfterByCommand(machine) }
        do {
            switch machine.status?.phase {
            case nil: return try await register(machine)
            case .claimed, .joining: return try await join(machine)
            case .upgrading: return try await upgrade(machine)
            case .cleaning: return try await clean(machine)
            case .ready: return try await repair(machine)
            case .reimaging: return try await awaitReimage(machine)
            case .available, .draining, .quarantined: return .done
            }
        } catch let error as SSHError {
            return try await report(error.conditionReason, error.words(for: machine), isTransient: error.isTransient, on: machine)
        } catch let failure as StepFailure {
            let reason = failure.kind == .refused ? "Refused" : "SSHFailed"
            return try await report(reason, failure.message, isTransient: failure.kind != .refused, on: machine)
        }
    }

    /// The machine does not answer as it should: said on the object, and tried again. A changed host key, a refused key or an
    /// unusable one is for a person to mend; trying slowly finds out when it was.
    private func report(
        _ reason: String, _ trouble: String, isTransient: Bool, on machine: Machine
    ) async throws -> ReconcileResult {
        logger.warning("machine over SSH", metadata: ["machine": "\(machine.name)", "error": "\(trouble)"])
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == machine.status?.phase else { return false }
            now.setCondition("Reachable", false, reason: reason, message: trouble)
            now.status?.message = trouble
            return true
        }
        if changed { await events.record(.warning, reason: reason, message: trouble, on: machine) }
        return .requeue(after: isTransient ? .seconds(10) : .seconds(60))
    }

    /// The tools of the store; nil when it has none and no source gives any: the machine's package manager may have them.
    func storedTools(_ architecture: Architecture) async throws -> NodeTools? {
        do {
            return try await artifacts.nodeTools(architecture: architecture)
        } catch let error as ArtifactError where error.kind == .notAvailable || error.kind == .missingTools {
            logger.warning("the store has no tools for nodes", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Takes the machine out of use until a person has looked at it.
    func quarantine(_ machine: Machine, _ reason: String) async throws {
        let epoch = machine.status?.claim?.epoch
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == epoch, now.status?.phase != .quarantined else { return false }
            now.status?.phase = .quarantined
            now.status?.message = reason
            return true
        }
        if changed { await events.record(.warning, reason: "Quarantined", message: reason, on: machine) }
    }
}
