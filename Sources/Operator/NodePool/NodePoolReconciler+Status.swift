import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension NodePoolReconciler {
    /// Writes the pool's status, when it differs from what is there.
    func report(_ pool: NodePool, cluster: HostedCluster?, decision: PoolDecision) async throws {
        let inventory = try await client.list(Machine.self).items
        let machines = inventory.filter { $0.isHeld(by: pool) }
        var reported = pool
        var status = pool.status ?? NodePoolStatus()
        let replicas = pool.spec?.replicas ?? 0
        let ready = machines.filter { $0.isReadyNode }
        status.observedGeneration = pool.metadata.generation
        status.replicas = machines.count
        status.readyReplicas = ready.count
        status.terminatingReplicas = inventory.filter { $0.isLeaving(pool) }.count
        let template = NodeTemplate(pool, in: cluster)
        status.updatedReplicas = template.map { template in machines.filter { $0.isNode(of: template) }.count }
        status.revision = template?.revision ?? status.revision
        if decision.problem == nil, let template { status.history = (status.history ?? []).recording(template, now: Date()) }
        status.selector = "\(NestboxLabel.nodePool)=\(pool.name)"
        status.versions = Dictionary(grouping: ready.compactMap { $0.status?.facts?.kubeletVersion }, by: { $0 }).mapValues(\.count)

        var conditions = ConditionSet(status.conditions, generation: pool.metadata.generation)
        conditions.set(
            "ClusterFound", cluster != nil, reason: cluster == nil ? "ClusterNotFound" : "Found",
            message: cluster == nil ? "there is no HostedCluster \(pool.spec?.clusterName ?? "") in namespace \(pool.namespace ?? "")" : "")
        conditions.set(
            "ValidConfiguration", decision.problem == nil, reason: decision.problem == nil ? "Valid" : "Invalid",
            message: decision.problem ?? "")
        let lacking =
            decision.blocked
            ?? (decision.missing > 0
                ? InventoryShortage(
                    missing: decision.missing, replicas: replicas, pool: pool, machines: inventory, refusals: decision.refusals
                ).message : nil)
        conditions.set(
            "MachinesAvailable", lacking == nil, reason: lacking == nil ? "Enough" : "MachinesLacking", message: lacking ?? "")
        setRollout(decision.rollout, status, pool, &conditions)
        if pool.withDefaults().spec?.autoRepair?.enabled == true {
            let suspension = decision.replacements.suspension
            conditions.set(
                "RepairSuspended", suspension != nil, reason: suspension?.reason ?? "WithinLimits", message: suspension?.message ?? "")
        } else {
            conditions.remove("RepairSuspended")
        }
        let isReady = ready.count >= replicas && cluster != nil && decision.problem == nil
        conditions.set(
            "Ready", isReady, reason: isReady ? "AllNodesReady" : decision.problem == nil ? "NodesNotReady" : "Invalid",
            message: decision.problem ?? "\(ready.count) of \(replicas) nodes are ready")
        status.conditions = conditions.list
        guard status != pool.status else { return }
        reported.status = status
        _ = try await client.updateStatus(reported)
        await tell(of: status, before: pool)
    }

    private func tell(of status: NodePoolStatus, before pool: NodePool) async {
        await events.record(
            transitionsFrom: pool.status?.conditions, to: status.conditions, types: NodePool.conditionTypes, on: pool)
    }

    /// `Progressing` as a Deployment has it, and whether a person has to say how to go on.
    private func setRollout(_ rollout: RolloutDecision, _ status: NodePoolStatus, _ pool: NodePool, _ conditions: inout ConditionSet) {
        let draining = rollout.draining > 0 ? ", \(rollout.draining) of older ones are drained" : ""
        let counts = "\(rollout.updated) of \(rollout.updated + rollout.outdated) nodes are of revision \(rollout.revision)\(draining)"
        let goOn = "nestbox rollout resume nodepool \(pool.name), or undo"
        switch rollout.state {
        case .failed(let machine, let why):
            let words = "Machine \(machine): \(why); \(counts)"
            conditions.set("Progressing", false, reason: "MachineFailed", message: words)
            let isPaused = rollout.outdated > 0
            conditions.set(
                "RolloutPaused", isPaused, reason: isPaused ? "MachineFailed" : "NotPaused", message: isPaused ? "\(words); \(goOn)" : "")
        case .paused:
            conditions.set("Progressing", false, reason: "Paused", message: "\(counts); paused by spec.upgrade.paused")
            conditions.set("RolloutPaused", true, reason: "Requested", message: "\(counts); nestbox rollout resume nodepool \(pool.name)")
        case .rolling:
            conditions.set("RolloutPaused", false, reason: "NotPaused", message: "")
            if rollout.isStuck {
                conditions.set(
                    "Progressing", false, reason: "NoSpareMachine",
                    message: "\(counts); the next needs a Machine beyond replicas (upgrade.maxSurge) while none may be taken out "
                        + "(upgrade.maxUnavailable is 0), and none is Available: register one, or set maxUnavailable to 1")
            } else {
                conditions.set("Progressing", true, reason: "RollingOut", message: counts)
            }
        case .complete:
            conditions.set("RolloutPaused", false, reason: "NotPaused", message: "")
            guard !rollout.revision.isEmpty else { return conditions.remove("Progressing") }
            conditions.set("Progressing", true, reason: "RolledOut", message: counts)
        }
    }

    /// Reports what the end of a deleted pool waits for.
    func report(deleting pool: NodePool, _ message: String) async throws {
        var reported = pool
        var status = pool.status ?? NodePoolStatus()
        var conditions = ConditionSet(status.conditions, generation: pool.metadata.generation)
        conditions.set("Deleting", true, reason: "WaitingForMachines", message: message)
        conditions.set("Ready", false, reason: "Deleting", message: message)
        status.observedGeneration = pool.metadata.generation
        status.conditions = conditions.list
        guard status != pool.status else { return }
        reported.status = status
        _ = try await client.updateStatus(reported)
        await tell(of: status, before: pool)
    }
}

extension Machine {
    fileprivate func isNode(of template: NodeTemplate) -> Bool {
        status?.phase != .upgrading && nodeRevision(template) == template.revision
    }
}
