import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin
import SSHClient

extension MachineReconciler {
    /// How long a machine that does not answer may hold up its cleaning: after that it is Quarantined and holds up nothing.
    private static let patience: TimeInterval = 600

    /// Makes the machine what it was, has that checked by code that shares nothing with the cleaning, and frees it.
    func clean(_ machine: Machine) async throws -> ReconcileResult {
        guard let claim = machine.status?.claim else { return .done }
        let progress = PlanProgressWriter(client: client, machine: machine.name, epoch: claim.epoch, phases: [.cleaning])
        let owner = MachineOwner(
            uid: machine.metadata.uid ?? "", epoch: claim.epoch, holder: "\(claim.namespace)/\(claim.nodePool)")
        let plan = Plan.clean(
            CleanParameters(
                owner: owner, clusterPodCIDR: claim.clusterPodCIDR ?? "", nodeLocalAPIAddress: claim.nodeLocalAPIAddress ?? "172.20.0.1"))
        let connect = { @Sendable in
            // Read anew: the host key may be the next one by now.
            let current = try await self.client.get(Machine.self, machine.name)
            return SSHMachineShell(try await self.connect(to: current))
        }
        let runner = PlanRunner(connect: connect, logger: logger) { report in
            try await progress.write(report.status) { status in
                if let key = report.outputs["hostKey"] { status.nextHostKey = key }
            }
        }
        do {
            let outcome = try await runner.run(plan)
            guard case .failed(let step, let failure) = outcome.result else {
                return try await check(machine, claim: claim, connect: connect)
            }
            if failure.kind == .unreachable { return try await waitOrGiveUp(machine, "\(step): \(failure.message)") }
            try await quarantine(machine, "cleaning failed at \(step): \(failure.message)")
        } catch is PlanProgressWriter.Superseded {}
        return .done
    }

    private func check(
        _ machine: Machine, claim: MachineClaim, connect: @Sendable () async throws -> SSHMachineShell
    ) async throws -> ReconcileResult {
        let facts = machine.status?.facts
        let tools = try await storedTools(Architecture(fact: facts))
        let shell = try await connect()
        let found: [String]
        let hostKey: String
        do {
            hostKey = try await shell.connection.hostKey.description
            found = try await CleanCheck(
                podCIDR: claim.clusterPodCIDR ?? "", serviceCIDR: claim.serviceCIDR ?? "",
                apiAddress: claim.nodeLocalAPIAddress ?? "172.20.0.1", tools: tools.map { LocalFile($0.tarball) },
                ownFolders: facts?.folders ?? [], hasOwnContainerd: facts?.tools?[NodeTool.containerd.rawValue] != nil
            ).run(on: shell)
            await shell.close()
        } catch {
            await shell.close()
            throw error
        }
        guard found.isEmpty else {
            try await quarantine(machine, "after cleaning there is still: \(found.prefix(10).joined(separator: "; "))")
            return .done
        }
        let freed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == claim.epoch, now.status?.phase == .cleaning else { return false }
            now.status?.phase = .available
            now.status?.claim = nil
            now.status?.lastTenant = claim.namespace
            now.status?.hostKey = hostKey
            now.status?.nextHostKey = nil
            now.status?.message = nil
            now.status?.plan = nil
            now.status?.facts?.kubeletVersion = nil
            var conditions = ConditionSet(nil, generation: now.metadata.generation)
            conditions.set("Reachable", true, reason: "Connected", message: "")
            conditions.set("Clean", true, reason: "Checked", message: "nothing of \(claim.namespace)/\(claim.nodePool) was found")
            now.status?.conditions = conditions.list
            return true
        }
        if freed { await events.record(.normal, reason: "Cleaned", message: "checked clean and free", on: machine) }
        return .done
    }

    private func waitOrGiveUp(_ machine: Machine, _ trouble: String) async throws -> ReconcileResult {
        let since = machine.status?.conditions?.named("Reachable").flatMap { $0.status == "False" ? $0.lastTransitionTime : nil }
        if let since = since.flatMap(Timestamp.parse), Date().timeIntervalSince(since) > Self.patience {
            try await quarantine(machine, "it could not be cleaned, for it does not answer: \(trouble)")
            return .done
        }
        try await say(machine, "Reachable", false, "SSHFailed", trouble)
        return .requeue(after: .seconds(15))
    }
}
