import KubernetesClient
import NestboxAPI
import Synchronization

/// Writes the progress of a plan to its Machine, and tells when the plan is no longer wanted.
struct PlanProgressWriter: Sendable {
    let client: KubernetesClient
    let machine: String
    let epoch: Int
    let phases: Set<MachinePhase>

    /// The Machine was claimed anew, released or quarantined while the plan ran.
    struct Superseded: Error {}

    /// - Throws: `Superseded` when the plan is to stop.
    func write(_ plan: PlanStatus, _ change: @escaping @Sendable (inout MachineStatus) -> Void = { _ in }) async throws {
        let (epoch, phases) = (epoch, phases)
        let wanted = Flag()
        try await client.updateMachineStatus(machine) { now in
            guard var status = now.status, status.claim?.epoch == epoch, let phase = status.phase, phases.contains(phase) else {
                return false
            }
            wanted.raise()
            status.plan = plan
            change(&status)
            now.status = status
            return true
        }
        guard wanted.isRaised else { throw Superseded() }
    }
}

private final class Flag: Sendable {
    private let raised = Atomic(false)
    func raise() { raised.store(true, ordering: .relaxed) }
    var isRaised: Bool { raised.load(ordering: .relaxed) }
}
