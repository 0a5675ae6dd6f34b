import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

/// Keeps each pool at its replicas by claiming Machines and giving them back; what happens to a Machine then is
/// the work of `NodeReconciler` (inside the tenant) and `MachineReconciler` (over SSH).
struct NodePoolReconciler: Reconciler {
    static let finalizer = "nestbox.dev/machines"

    let client: KubernetesClient
    let sessions: TenantSessions
    let events: EventRecorder
    let logger: Logger

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard var pool = try await client.find(NodePool.self, key) else { return .done }
        if !pool.metadata.isBeingDeleted { try await client.addFinalizer(Self.finalizer, to: &pool) }

        let cluster = try await client.find(
            HostedCluster.self, ObjectKey(namespace: key.namespace, name: pool.spec?.clusterName ?? ""))?.withDefaults()
        // Read from the API, not from a cache: a claim missed here would give one pod network to two nodes.
        let machines = try await client.list(Machine.self).items
        if let cluster, pool.clusterChange(machines) == nil, try await belong(&pool, to: cluster) { return .done }
        let further = cluster?.metadata.uid.flatMap { sessions.session($0) }?.nodes.list().compactMap { $0.spec?.podCIDR } ?? []
        var decision = PoolDecision(pool: pool, cluster: cluster, machines: machines, further: further)
        if decision.wantsPodCounts, let uid = cluster?.metadata.uid, let pods = await podCounts(clusterUID: uid) {
            decision = PoolDecision(pool: pool, cluster: cluster, machines: machines, pods: pods, further: further)
        }

        for name in decision.releases { try await release(name, for: decision.reasons[name], pool: pool) }
        for name in decision.takeBacks { try await takeBack(name, pool: pool) }
        for (machine, problem) in decision.refusals { try await refuse(machine, problem, pool: pool) }
        for claim in decision.claims { try await self.claim(claim, pool: pool, cluster: cluster) }
        for name in decision.rollout.upgrades { try await upgrade(name, to: decision.rollout.revision, pool: pool) }

        if pool.metadata.isBeingDeleted {
            return try await finish(pool, of: cluster, machines: machines)
        }
        try await report(pool, cluster: cluster, decision: decision)
        return decision.rollout.lookAgain.map { .requeue(after: .left(until: $0)) } ?? .done
    }

    /// A pool goes with its cluster: the host's garbage collector sees to that. True when it wrote.
    private func belong(_ pool: inout NodePool, to cluster: HostedCluster) async throws -> Bool {
        guard !pool.metadata.isBeingDeleted, let uid = cluster.metadata.uid,
            pool.metadata.ownerReferences?.contains(where: { $0.uid == uid }) != true
        else { return false }
        let owner = OwnerReference(
            apiVersion: HostedCluster.resourceType.apiVersion, kind: HostedCluster.resourceType.kind, name: cluster.name, uid: uid)
        pool.metadata.ownerReferences = (pool.metadata.ownerReferences ?? []) + [owner]
        _ = try await client.update(pool)
        return true
    }

    private func claim(_ claim: PoolDecision.Claim, pool: NodePool, cluster: HostedCluster?) async throws {
        let claimed = try await client.updateMachineStatus(claim.machine) { machine in
            guard machine.mayBeClaimed(by: pool) else { return false }
            machine.status?.phase = .claimed
            machine.status?.message = nil
            machine.status?.plan = nil
            machine.status?.upgrade = nil
            machine.status?.repair = nil
            let kept = machine.status?.conditions?.filter { $0.type == "Reachable" }
            machine.status?.conditions = kept
            let epoch = (machine.status?.lastEpoch ?? 0) + 1
            machine.status?.lastEpoch = epoch
            machine.status?.claim = MachineClaim(
                namespace: pool.namespace ?? "", nodePool: pool.name, nodePoolUID: pool.metadata.uid ?? "",
                hostedCluster: cluster?.name ?? "", hostedClusterUID: cluster?.metadata.uid ?? "",
                epoch: epoch, podCIDR: claim.podCIDR,
                clusterPodCIDR: cluster?.spec?.network?.pods, serviceCIDR: cluster?.spec?.network?.services,
                nodeLocalAPIAddress: cluster?.spec?.network?.nodeLocalAPIAddress, claimedAt: Timestamp.format(Date()))
            return true
        }
        if claimed {
            await events.record(.normal, reason: "Claimed", message: "claimed Machine \(claim.machine), pods \(claim.podCIDR)", on: pool)
        }
    }

    private func refuse(_ name: String, _ problem: String, pool: NodePool) async throws {
        let refused = try await client.updateMachineStatus(name) { machine in
            // One pool's word is enough: two that see it differently would write for ever.
            guard machine.mayBeClaimed(by: pool), machine.status?.conditions?.named("Claimable")?.status != "False" else { return false }
            machine.setCondition("Claimable", false, reason: "Refused", message: problem)
            machine.status?.message = problem
            return true
        }
        if refused { await events.record(.warning, reason: "MachineRefused", message: "Machine \(name): \(problem)", on: pool) }
    }

    private func release(_ name: String, for reason: ReleaseReason?, pool: NodePool) async throws {
        let released = try await client.updateMachineStatus(name) { machine in
            guard machine.isHeld(by: pool) else { return false }
            if reason == .notMended {
                // It may have come back in the last moment.
                guard machine.status?.repair?.state == .notMended else { return false }
                machine.noteReplacement()
            }
            machine.status?.claim?.released = true
            machine.status?.claim?.releasedFor = reason
            machine.status?.phase = .draining
            machine.status?.upgrade = nil
            return true
        }
        if released {
            let why = reason.map { " (\($0.rawValue))" } ?? ""
            let type: EventType = reason == .notMended ? .warning : .normal
            await events.record(type, reason: "Released", message: "gives Machine \(name) back\(why)", on: pool)
        }
    }

    /// Begins the upgrade of a node where it is, or turns one round that is on its way to a template nobody wants any more.
    private func upgrade(_ name: String, to revision: String, pool: NodePool) async throws {
        let begun = try await client.updateMachineStatus(name) { machine in
            guard machine.isHeld(by: pool), [.ready, .upgrading].contains(machine.status?.phase) else { return false }
            let isTurned = machine.status?.phase == .upgrading
            let before = isTurned ? machine.status?.upgrade : nil
            guard before?.revision != revision else { return false }
            machine.status?.phase = .upgrading
            machine.status?.message = nil
            machine.status?.upgrade = MachineUpgrade(
                revision: revision, startedAt: Timestamp.format(Date()),
                // It has been drained already, and its patience begins anew.
                drainedAt: before?.drainedAt.map { _ in Timestamp.format(Date()) })
            return true
        }
        if begun {
            await events.record(.normal, reason: "Upgrading", message: "upgrades Machine \(name) in place to \(revision)", on: pool)
        }
    }

    /// Keeps a Machine that was being drained. Whoever hands it over to be cleaned looks at the same phase and epoch: one of the two
    /// writes first, and the other then finds nothing to do.
    private func takeBack(_ name: String, pool: NodePool) async throws {
        let kept = try await client.updateMachineStatus(name) { machine in
            guard machine.mayBeTakenBack(by: pool) else { return false }
            machine.status?.claim?.released = nil
            machine.status?.claim?.releasedFor = nil
            machine.status?.phase = .ready
            machine.status?.message = nil
            machine.removeCondition("Draining")
            return true
        }
        if kept { await events.record(.normal, reason: "TakenBack", message: "keeps Machine \(name), whose drain is over", on: pool) }
    }

    /// A deleted pool stays until no Machine carries its claim any more.
    private func finish(_ pool: NodePool, of cluster: HostedCluster?, machines: [Machine]) async throws -> ReconcileResult {
        let waiting = machines.filter { $0.status?.claim?.nodePoolUID == pool.metadata.uid && $0.status?.phase != .quarantined }
        if let cluster, cluster.isHeldBack {
            try await report(deleting: pool, "deleting: held back, for cluster \(cluster.name) is protected against deletion")
            return .done
        }
        guard waiting.isEmpty else {
            let words = waiting.map { "\($0.name) (\($0.status?.phase?.rawValue ?? "Unknown"))" }.sorted().joined(separator: ", ")
            try await report(deleting: pool, "deleting: waits for \(words)")
            return .done
        }
        try await client.removeFinalizer(Self.finalizer, from: pool)
        return .done
    }
}

extension InformerChange<Machine> {
    /// Whether a pool may have to do with it. The progress of a plan, which is written often, is of no interest to any.
    var mattersToPools: Bool {
        guard case .updated(let old, let new) = self else { return true }
        return old.withoutProgress != new.withoutProgress
    }
}

extension Machine {
    fileprivate var withoutProgress: Machine {
        var machine = self
        machine.metadata.resourceVersion = nil
        machine.status?.plan = nil
        machine.status?.message = nil
        // What keeps a drain changes with every pod.
        machine.status?.conditions?.removeAll { $0.type == "Draining" && $0.reason != DrainReport.drained }
        return machine
    }
}
