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
    let events: EventRecorder
    let logger: Logger

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard var pool = try await client.find(NodePool.self, key) else { return .done }
        if !pool.metadata.isBeingDeleted, try await client.addFinalizer(Self.finalizer, to: &pool) { return .done }

        let cluster = try await client.find(
            HostedCluster.self, ObjectKey(namespace: key.namespace, name: pool.spec?.clusterName ?? ""))?.withDefaults()
        // Read from the API, not from a cache: a claim missed here would give one pod network to two nodes.
        let machines = try await client.list(Machine.self).items
        if let cluster, pool.clusterChange(machines) == nil, try await belong(&pool, to: cluster) { return .done }
        let decision = PoolDecision(pool: pool, cluster: cluster, machines: machines)

        for name in decision.releases { try await release(name, pool: pool) }
        for (machine, problem) in decision.refusals { try await refuse(machine, problem, pool: pool) }
        for claim in decision.claims { try await self.claim(claim, pool: pool, cluster: cluster) }
        for name in decision.rollout.upgrades { try await upgrade(name, to: decision.rollout.revision, pool: pool) }

        if pool.metadata.isBeingDeleted {
            return try await finish(pool, machines: machines)
        }
        try await report(pool, cluster: cluster, decision: decision)
        return decision.rollout.lookAgain.map { .requeue(after: .seconds(max(1, $0.timeIntervalSinceNow.rounded(.up)))) } ?? .done
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
            var conditions = ConditionSet(machine.status?.conditions, generation: machine.metadata.generation)
            conditions.set("Claimable", false, reason: "Refused", message: problem)
            machine.status?.conditions = conditions.list
            machine.status?.message = problem
            return true
        }
        if refused { await events.record(.warning, reason: "MachineRefused", message: "Machine \(name): \(problem)", on: pool) }
    }

    private func release(_ name: String, pool: NodePool) async throws {
        let released = try await client.updateMachineStatus(name) { machine in
            guard machine.isHeld(by: pool) else { return false }
            machine.status?.claim?.released = true
            machine.status?.phase = .draining
            machine.status?.upgrade = nil
            return true
        }
        if released {
            await events.record(.normal, reason: "Released", message: "gives Machine \(name) back", on: pool)
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
                revision: revision, startedAt: Timestamp.format(Date()), wasCordoned: before?.wasCordoned,
                // It has been drained already, and its patience begins anew.
                drainedAt: before?.drainedAt.map { _ in Timestamp.format(Date()) })
            return true
        }
        if begun {
            await events.record(.normal, reason: "Upgrading", message: "upgrades Machine \(name) in place to \(revision)", on: pool)
        }
    }

    /// A deleted pool stays until no Machine carries its claim any more.
    private func finish(_ pool: NodePool, machines: [Machine]) async throws -> ReconcileResult {
        let waiting = machines.filter { $0.status?.claim?.nodePoolUID == pool.metadata.uid && $0.status?.phase != .quarantined }
        guard waiting.isEmpty else {
            let words = waiting.map { "\($0.name) (\($0.status?.phase?.rawValue ?? "Unknown"))" }.sorted().joined(separator: ", ")
            try await report(deleting: pool, "deleting: waits for \(words)")
            return .done
        }
        try await client.removeFinalizer(Self.finalizer, from: pool)
        return .done
    }
}
