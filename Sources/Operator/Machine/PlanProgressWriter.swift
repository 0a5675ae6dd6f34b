import KubernetesClient
import NestboxAPI

/// Writes the progress of a plan to its Machine, and tells when the plan is no longer wanted.
struct PlanProgressWriter: Sendable {
    let client: KubernetesClient
    let machine: String
    /// Of the claim; nil when the Machine has none.
    let epoch: Int?
    let phases: Set<MachinePhase>
    /// Of the upgrade in place that the plan is part of.
    var upgrade: String?

    /// The Machine was claimed anew, released or quarantined while the plan ran.
    struct Superseded: Error {}

    /// - Throws: `Superseded` when the plan is to stop.
    func write(_ plan: PlanStatus, _ change: (inout MachineStatus) -> Void = { _ in }) async throws {
        try await note {
            $0.plan = plan
            change(&$0)
        }
    }

    /// Writes what came of the plan, whose progress stays as it was written last.
    /// - Throws: `Superseded` when the plan is not wanted any more.
    func note(_ change: (inout MachineStatus) -> Void) async throws {
        var isWanted = false
        try await client.updateMachineStatus(machine) { now in
            isWanted = false
            guard var status = now.status, status.claim?.epoch == epoch, let phase = status.phase, phases.contains(phase),
                upgrade == nil || upgrade == status.upgrade?.revision
            else { return false }
            isWanted = true
            change(&status)
            now.status = status
            return true
        }
        guard isWanted else { throw Superseded() }
    }
}
