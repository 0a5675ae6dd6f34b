import ControlPlane
import ControllerRuntime
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
        status.updatedReplicas = ready.count
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
    }
}
