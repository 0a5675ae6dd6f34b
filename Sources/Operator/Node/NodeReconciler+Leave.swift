import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

extension NodeReconciler {
    /// Takes the node out of the tenant, drained where that can be, and passes the machine on to be cleaned; one that nothing was
    /// changed on is free at once.
    func leave(
        _ machine: Machine, claim: MachineClaim, cluster: HostedCluster?, session: TenantSession?
    ) async throws -> ReconcileResult {
        let wasNode = machine.status?.facts?.kubeletVersion != nil
        let unfit = wasNode ? nil : machine.unfitness(for: claim.hostedClusterUID)
        let pool = try await client.find(NodePool.self, ObjectKey(namespace: claim.namespace, name: claim.nodePool))?.withDefaults()
        let start = cluster == nil ? Date() : try await drainStart(of: machine)
        let node = session?.nodes.get(ObjectKey(name: machine.name))
        if wasNode, let session, session.nodes.isSynced { try await note(node, of: machine, claim: claim) }
        let decision = LeaveDecision(
            isAlive: cluster != nil, mayHavePods: wasNode, isRecorded: unfit != nil, isPoweredOff: machine.isPoweredOff,
            isNotMended: claim.releasedFor == .notMended, hasSession: session != nil, silentSince: node?.notReadySince, since: start,
            timeout: pool?.spec?.drainTimeout.flatMap(GoDuration.init)?.seconds ?? 600, now: Date())
        switch decision {
        case .wait(let deadline):
            try await say(DrainReport(other: "waits for the tenant's API to answer"), on: machine)
            return deadline.map { .requeue(after: .left(until: $0)) } ?? .done
        case .drain(let deadline):
            guard let session else { return .done }
            if let pause = try await remains(machine, claim: claim, pool: pool, cluster: cluster, session: session, since: start) {
                return .requeue(after: deadline.map { min(pause, .left(until: $0)) } ?? pause)
            }
        case .handOver(let cause):
            // From here on nobody takes it back: see NodePoolReconciler.
            guard try await isGivenUp(machine, "its pods are not waited for any longer") else { return .done }
            try await cutOff(machine, claim: claim, because: cause, session: session, node: node)
        }
        session?.drains.end(machine.name)
        if let unfit { try await free(machine, unfit) } else { try await handOver(machine, to: .cleaning) }
        return .done
    }

    /// Cordons and drains the node and takes it out of the tenant. When to look again while that is not done; nil when it is.
    private func remains(
        _ machine: Machine, claim: MachineClaim, pool: NodePool?, cluster: HostedCluster?, session: TenantSession, since start: Date
    ) async throws -> Duration? {
        do {
            if !machine.isDrained, machine.status?.facts?.kubeletVersion != nil,
                let node = try await session.client.find(Node.self, ObjectKey(name: machine.name))
            {
                try await session.cordon(node, epoch: claim.epoch)
                if othersTakePods(machine, claim: claim, pool: pool, session: session, since: start) { return .milliseconds(300) }
                let drain = NodeDrain(session: session, server: cluster?.status?.version ?? cluster?.spec?.version) {
                    try await client.find(Machine.self, ObjectKey(name: machine.name)).map { now in
                        now.status?.phase == .draining && now.status?.claim?.epoch == claim.epoch
                    } ?? false
                }
                switch try await drain.look(at: node) {
                case .empty: break
                case .unwanted: return .seconds(1)
                case .waits(let left, let again):
                    try await say(left, on: machine)
                    return again
                }
            }
            guard try await isGivenUp(machine, "its pods have gone; its Node is removed") else { return .seconds(1) }
            try await forget(machine, session: session)
            return nil
        } catch let error as KubernetesError {
            // Said, and asked again soon: a backoff might sleep over the deadline.
            try await say(DrainReport(other: "the tenant's API: \(error)"), on: machine)
            return .seconds(5)
        }
    }

    /// Whether nodes that leave at the same time might still be given this one's pods, which would have to move twice. Waited for
    /// no longer than it takes to cordon them.
    private func othersTakePods(
        _ machine: Machine, claim: MachineClaim, pool: NodePool?, session: TenantSession, since start: Date
    ) -> Bool {
        guard Date().timeIntervalSince(start) < 10 else { return false }
        let siblings = machines.list().filter { $0.name != machine.name && $0.status?.claim?.hostedClusterUID == claim.hostedClusterUID }
        let isReleasing =
            claim.releasedFor == .scaledDown
            && pool.map { pool in siblings.filter { $0.isHeld(by: pool) }.count > pool.spec?.replicas ?? 0 } == true
        return isReleasing
            || siblings.contains { sibling in
                sibling.status?.phase == .draining
                    && session.nodes.get(ObjectKey(name: sibling.name)).map { $0.spec?.unschedulable != true } ?? false
            }
    }

    /// Takes from the node what lets it speak for itself. The Node stays as long as pods may run on the machine: Kubernetes would
    /// start them elsewhere too.
    private func cutOff(
        _ machine: Machine, claim: MachineClaim, because cause: LeaveDecision.Cause, session: TenantSession?, node: Node?
    ) async throws {
        if cause == .timedOut || cause == .silent, machine.status?.facts?.kubeletVersion != nil {
            let left = machine.status?.conditions?.named("Draining")?.message ?? ""
            await events.record(
                .warning, reason: "DrainGivenUp",
                message: (cause == .silent ? "its Node is not Ready" : "the pool's drainTimeout is over")
                    + ": what still runs on it ends with the cleaning\(left.isEmpty ? "" : "; last seen: \(left)")",
                on: machine)
        }
        guard let session else { return }
        do {
            if machine.podsAreEnded {
                try await forget(machine, session: session)
            } else {
                if let node { try await session.cordon(node, epoch: claim.epoch) }
                try await disown(machine, session: session)
            }
        } catch {
            // Tried again while it is cleaned.
            logger.warning("the tenant could not be made to forget a node", metadata: ["machine": "\(machine.name)", "error": "\(error)"])
        }
    }

    /// Gives back a machine that was found unfit before anything on it was changed: there is nothing to clean.
    private func free(_ machine: Machine, _ unfit: String) async throws {
        let epoch = machine.status?.claim?.epoch
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining, now.status?.claim?.epoch == epoch else { return false }
            let reason = now.status?.quarantineReason
            now.status?.phase = reason == nil ? .available : .quarantined
            now.status?.claim = nil
            now.status?.message = reason ?? unfit
            var conditions = ConditionSet(
                now.status?.conditions?.filter { $0.type == "Reachable" }, generation: now.metadata.generation)
            conditions.set("Claimable", false, reason: "Unfit", message: unfit)
            now.status?.conditions = conditions.list
            return true
        }
    }

    /// When the first pass over the drain was.
    private func drainStart(of machine: Machine) async throws -> Date {
        let started = machine.status?.conditions?.named("Draining")?.lastTransitionTime
        if let started = started.flatMap(Timestamp.parse) { return started }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining else { return false }
            now.setCondition("Draining", true, reason: "Released", message: "pods are being moved away")
            return true
        }
        return Date()
    }

    /// Notes that the Machine goes for good, before anything is taken from its Node; false when it was taken back meanwhile.
    private func isGivenUp(_ machine: Machine, _ message: String) async throws -> Bool {
        let epoch = machine.status?.claim?.epoch
        var isLeaving = false
        try await client.updateMachineStatus(machine.name) { now in
            isLeaving = now.status?.phase == .draining && now.status?.claim?.epoch == epoch
            guard isLeaving, !now.isDrained else { return false }
            now.setCondition("Draining", true, reason: DrainReport.drained, message: message)
            now.status?.message = nil
            return true
        }
        return isLeaving
    }

    /// Says what keeps the drain; what a person may want to act on is an event too, once.
    private func say(_ report: DrainReport, on machine: Machine) async throws {
        let before = machine.status?.conditions?.named("Draining")?.message ?? ""
        let epoch = machine.status?.claim?.epoch
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining, now.status?.claim?.epoch == epoch, !now.isDrained else { return false }
            now.status?.message = "draining: \(report.message)"
            now.setCondition("Draining", true, reason: report.reason, message: report.message)
            return true
        }
        guard changed else { return }
        for warning in report.warnings(now: Date()) where !before.contains(warning) {
            await events.record(.warning, reason: "DrainBlocked", message: warning, on: machine)
        }
    }
}

extension Node {
    /// Since when it has not been Ready; nil when it is, or that is not known.
    var notReadySince: Date? {
        let ready = status?.conditions?.first { $0.type == "Ready" }
        return ready?.status == "True" ? nil : ready?.lastTransitionTime.flatMap(Timestamp.parse)
    }
}
