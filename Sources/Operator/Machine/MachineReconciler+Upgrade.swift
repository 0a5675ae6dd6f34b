import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import NodeJoin

extension MachineReconciler {
    /// Carries out the upgrade of a drained node with the ticket that the control-planes operator left, which also looks at its Node then.
    func upgrade(_ machine: Machine) async throws -> ReconcileResult {
        guard let claim = machine.status?.claim, let upgrade = machine.status?.upgrade, upgrade.kubeletStartedAt == nil,
            upgrade.failure == nil, upgrade.drainedAt != nil
        else { return .done }
        guard let ticket = try await client.joinTicket(of: machine, in: operatorNamespace),
            ticket.isUpgrade(to: upgrade.revision, epoch: claim.epoch), let version = KubernetesVersion(ticket.kubernetesVersion)
        else { return .done }
        let facts = machine.status?.facts ?? MachineFacts()
        guard let parameters = try await parameters(ticket, version: version, machine: machine, facts: facts) else {
            return .requeue(after: .seconds(60))
        }
        let progress = PlanProgressWriter(
            client: client, machine: machine.name, epoch: claim.epoch, phases: [.upgrading], upgrade: upgrade.revision)
        let runner = PlanRunner(connect: { SSHMachineShell(try await self.connect(to: machine)) }, logger: logger) { report in
            try await progress.write(report.status)
        }
        do {
            let outcome = try await runner.run(.upgrade(parameters))
            switch outcome.result {
            case .failed(let step, let failure) where failure.kind == .unreachable:
                try await say(machine, "Reachable", false, "SSHFailed", "\(step): \(failure.message)")
                return .requeue(after: .seconds(15))
            case .failed(let step, let failure):
                try await progress.note {
                    $0.upgrade?.failure = "the upgrade failed at \(step): \(failure.message)"
                    $0.upgrade?.failedAt = Timestamp.format(Date())
                }
            case .succeeded:
                try await progress.note {
                    $0.upgrade?.kubeletStartedAt = outcome.outputs["kubeletStarted"] ?? Timestamp.format(Date())
                    $0.message = nil
                    guard $0.conditions?.named("Reachable")?.status == "False" else { return }
                    var conditions = ConditionSet($0.conditions, generation: machine.metadata.generation)
                    conditions.set("Reachable", true, reason: "Connected", message: "")
                    $0.conditions = conditions.list
                }
            }
        } catch is PlanProgressWriter.Superseded {}
        return .done
    }
}
