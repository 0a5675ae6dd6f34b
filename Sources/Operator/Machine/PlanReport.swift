import KubernetesClient
import NestboxAPI
import Synchronization

/// Writes the progress of a plan to its Machine, and tells when the plan is no longer wanted.
struct PlanReport: Sendable {
    let client: KubernetesClient
    let machine: String
    let epoch: Int
    let phases: Set<MachinePhase>

    /// The Machine was claimed anew, released or quarantined while the plan ran.
    struct Superseded: Error {}

    /// - Throws: `Superseded` when the plan is to stop.
    func write(_ plan: PlanStatus) async throws {
        let (machine, epoch, phases) = (machine, epoch, phases)
        let wanted = OneShot()
        try await client.updateMachineStatus(machine) { now in
            guard now.status?.claim?.epoch == epoch, let phase = now.status?.phase, phases.contains(phase) else { return false }
            wanted.set()
            now.status?.plan = plan
            return true
        }
        guard wanted.isSet else { throw Superseded() }
    }
}

private final class OneShot: Sendable {
    private let flag = Atomic(false)
    func set() { flag.store(true, ordering: .relaxed) }
    var isSet: Bool { flag.load(ordering: .relaxed) }
}
