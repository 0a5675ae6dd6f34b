import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI
import NodeJoin
import SSHClient

extension MachineReconciler {
    /// Makes the machine what it was, has that checked by code that shares nothing with the cleaning, and frees it.
    func clean(_ machine: Machine) async throws -> ReconcileResult {
        let claim = machine.cleaningClaim
        try await noteBeginning(of: machine)
        let progress = PlanProgressWriter(
            client: client, machine: machine.name, epoch: machine.status?.claim?.epoch, phases: [.cleaning])
        let plan = Plan.clean(
            CleanParameters(
                owner: MachineOwner(machine, claim: claim), clusterPodCIDR: claim.clusterPodCIDR ?? "",
                nodeLocalAPIAddress: claim.nodeLocalAPIAddress ?? "172.20.0.1",
                assumeJoined: claim.changed == true || machine.isToBeCleanedWhole))
        let connect = { @Sendable in
            // Read anew: the host key may be the next one by now.
            let current = try await self.client.get(Machine.self, machine.name)
            let connection = try await self.connect(to: current)
            try await self.settleHostKey(of: current, presented: connection.hostKey)
            return SSHMachineShell(connection)
        }
        let runner = PlanRunner(connect: connect, logger: logger) { report in
            try await progress.write(report.status) { status in
                if let key = report.outputs["hostKey"] { status.nextHostKey = key }
            }
        }
        do {
            let outcome = try await runner.run(plan)
            guard case .failed(let step, let failure) = outcome.result else {
                return try await check(machine, claim: claim, newHostKey: outcome.outputs["hostKey"], connect: connect)
            }
            if failure.kind == .unreachable { return try await waitOrGiveUp(machine, "\(step): \(failure.message)") }
            try await quarantine(
                machine, "cleaning failed at \(step): \(failure.message); mend it, then: nestbox machine clean \(machine.name)")
        } catch is PlanProgressWriter.Superseded {}
        return .done
    }

    private func check(
        _ machine: Machine, claim: MachineClaim, newHostKey: String?, connect: @Sendable () async throws -> SSHMachineShell
    ) async throws -> ReconcileResult {
        let check = await cleanCheck(of: machine)
        let shell = try await connect()
        var found: [String]
        let hostKey: String
        do {
            hostKey = try await shell.connection.hostKey.description
            found = try await check.run(on: shell)
        } catch let error as SSHError {
            await shell.close()
            // As when there is no room for what it needs.
            guard error.isTransient else {
                try await quarantine(
                    machine, "it was cleaned, but not checked: \(error); mend it, then: nestbox machine clean \(machine.name)")
                return .done
            }
            return try await waitOrGiveUp(machine, "the check: \(error)")
        } catch {
            await shell.close()
            throw error
        }
        if claim.changed == true, hostKey != newHostKey {
            found.append("the SSH host key from before it was cleaned, which the last tenant's root could read")
        }
        let words = found.prefix(10).joined(separator: "; ")
        // What is installed anew is rid of anything.
        let isReimaged = machine.withDefaults().spec?.reuse == .reimage
        guard found.isEmpty || isReimaged else {
            await shell.close()
            try await quarantine(
                machine,
                "after cleaning there is still: \(words); look at it, remove what should not be there, then: "
                    + "nestbox machine clean \(machine.name); or install it anew, then: nestbox machine reimaged \(machine.name)")
            return .done
        }
        let freed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == machine.status?.claim?.epoch, now.status?.phase == .cleaning else { return false }
            now.status?.phase = isReimaged ? .reimaging : .available
            if let tenant = now.status?.claim?.namespace { now.status?.lastTenant = tenant }
            now.status?.claim = nil
            now.status?.hostKey = hostKey
            now.status?.nextHostKey = nil
            now.status?.message =
                isReimaged ? "waits until it was installed anew, and somebody says so: nestbox machine reimaged \(machine.name)" : nil
            now.status?.plan = nil
            now.status?.repair = nil
            now.status?.facts?.kubeletVersion = nil
            var conditions = ConditionSet(nil, generation: now.metadata.generation)
            conditions.set("Reachable", true, reason: "Connected", message: "")
            let nothing = "nothing of \(owner(of: claim)) was found"
            conditions.set(
                "Clean", found.isEmpty, reason: found.isEmpty ? "Checked" : "Leftovers",
                message: !found.isEmpty
                    ? "still there, until it is installed anew: \(words)"
                    : claim.baseline == nil ? "\(nothing); other files were not looked at, for they were not listed before" : nothing)
            now.status?.conditions = conditions.list
            return true
        }
        if freed {
            try? await check.forgetBaseline(on: shell)
            await events.record(
                .normal, reason: "Cleaned",
                message: isReimaged ? "cleaned, and waits until it was installed anew" : "checked clean and free", on: machine)
        }
        await shell.close()
        return .done
    }

    /// What a machine is held to that should be bare.
    private func cleanCheck(of machine: Machine) async -> CleanCheck {
        let (claim, facts) = (machine.cleaningClaim, machine.status?.facts)
        let tools = await toolsForCheck(Architecture(fact: facts))
        return CleanCheck(
            podCIDR: claim.clusterPodCIDR ?? "", serviceCIDR: claim.serviceCIDR ?? "",
            apiAddress: claim.nodeLocalAPIAddress ?? "172.20.0.1", tools: tools.map { LocalFile($0.tarball) },
            ownFolders: facts?.folders ?? [], hasOwnContainerd: facts?.tools?[NodeTool.containerd.rawValue] != nil,
            baseline: claim.baseline)
    }

    /// What there is on a machine that should be bare.
    func leftovers(on shell: SSHMachineShell, of machine: Machine) async throws -> [String] {
        try await cleanCheck(of: machine).run(on: shell)
    }

    private func owner(of claim: MachineClaim) -> String {
        claim.nodePool.isEmpty ? "a node" : "\(claim.namespace)/\(claim.nodePool)"
    }

    /// A machine that presents the key made for it has put it to use, in an earlier attempt of this cleaning: from then on the one before
    /// is worth nothing, and must not be in the way of the next one that is made.
    private func settleHostKey(of machine: Machine, presented: HostKey) async throws {
        guard let next = machine.status?.nextHostKey, HostKey(next) == presented, machine.status?.hostKey != next else { return }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.nextHostKey == next else { return false }
            now.status?.hostKey = next
            return true
        }
    }

    /// When the cleaning began is when `Clean` became False.
    private func noteBeginning(of machine: Machine) async throws {
        guard machine.status?.conditions?.named("Clean") == nil else { return }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .cleaning, now.status?.claim?.epoch == machine.status?.claim?.epoch else { return false }
            now.setCondition("Clean", false, reason: "Cleaning", message: "")
            return true
        }
    }

    /// A store that is out of order holds up no cleaning: the machine is looked at with what programs it has.
    private func toolsForCheck(_ architecture: Architecture) async -> NodeTools? {
        do {
            return try await storedTools(architecture)
        } catch {
            logger.warning("the check of a cleaned machine goes without the store's tools", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func waitOrGiveUp(_ machine: Machine, _ trouble: String) async throws -> ReconcileResult {
        let patience = CleaningPatience(machine.status?.conditions)
        if patience.isOver(at: Date()) {
            let kept =
                machine.podsAreEnded
                ? ""
                : "; its Node is kept in the tenant's cluster, for its pods may run still: once the server is surely off, say so by "
                    + "kubectl annotate --overwrite machine \(machine.name) \(MachineAnnotation.poweredOff)=\(machine.status?.claim?.epoch ?? 0)"
            try await quarantine(
                machine,
                "it could not be cleaned, for it does not answer: \(trouble)\(kept); once it does: nestbox machine clean \(machine.name)")
            return .done
        }
        try await say(machine, "Reachable", false, "SSHFailed", trouble)
        return .requeue(after: .seconds(15))
    }
}

/// How long a machine that does not answer may hold up its cleaning: after that it is Quarantined and holds up nothing.
/// Counted from the first attempt that failed, and never from before the cleaning. Pure.
struct CleaningPatience {
    static let limit: TimeInterval = 600
    private let since: Date?

    init(_ conditions: [Condition]?) {
        let times = ["Reachable", "Clean"].map { type in
            conditions?.named(type).flatMap { $0.status == "False" ? Timestamp.parse($0.lastTransitionTime) : nil }
        }
        // Both must be so: it does not answer, and is being cleaned.
        since = times.contains(nil) ? nil : times.compactMap(\.self).max()
    }

    func isOver(at now: Date) -> Bool { since.map { now.timeIntervalSince($0) > Self.limit } ?? false }
}
