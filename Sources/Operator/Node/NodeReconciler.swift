import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

/// A Machine seen from inside its tenant: the record of what its node may carry, the ticket it joins with, the Node it
/// becomes, and the drain when it leaves. What happens on the machine itself is `MachineReconciler`'s.
struct NodeReconciler: Reconciler {
    let client: KubernetesClient
    let sessions: TenantSessions
    /// All Machines, as they are known: what leaves at the same time.
    let machines: Informer<Machine>
    let events: EventRecorder
    /// Where tickets are left for the machines operator.
    let operatorNamespace: String
    let logger: Logger

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        let machine = try await client.find(Machine.self, key)
        var result = ReconcileResult.done
        if let machine, let claim = machine.status?.claim { result = try await look(machine, claim: claim) }
        // Afterwards, and without its failing: one tenant's API that is down holds up no other tenant's node.
        let isLeft = await !removeLeftBehind(key.name, of: machine)
        return isLeft && result == .done ? .requeue(after: .seconds(60)) : result
    }

    private func look(_ machine: Machine, claim: MachineClaim) async throws -> ReconcileResult {
        let found = try await client.find(
            HostedCluster.self, ObjectKey(namespace: claim.namespace, name: claim.hostedCluster))?.withDefaults()
        // Nil when it is gone, or going: its deletion never drains and never waits for the tenant's API.
        let cluster = found.flatMap { $0.metadata.uid == claim.hostedClusterUID && !$0.isLeaving ? $0 : nil }
        let session = cluster == nil ? nil : sessions.session(claim.hostedClusterUID)

        switch machine.status?.phase {
        case .claimed, .joining, .ready, .upgrading:
            guard let cluster else {
                // Its pool may be one that nobody looks after: a cluster's end does not wait for that.
                try await handOver(machine, to: .cleaning, for: .clusterDeleted)
                return .done
            }
            guard let pool = try await client.find(NodePool.self, ObjectKey(namespace: claim.namespace, name: claim.nodePool)),
                pool.metadata.uid == claim.nodePoolUID
            else {
                try await handOver(machine, to: .draining, for: .poolDeleted)
                return .done
            }
            // Without a session the API does not answer yet; its opening brings every Machine of the cluster back here.
            guard let session else { return .done }
            if machine.status?.phase == .ready {
                return try await keep(machine, claim: claim, pool: pool, cluster: cluster, session: session)
            }
            if machine.status?.phase == .upgrading {
                return try await upgrade(machine, claim: claim, pool: pool, cluster: cluster, session: session)
            }
            return try await join(machine, claim: claim, pool: pool, cluster: cluster, session: session)
        case .draining:
            return try await leave(machine, claim: claim, cluster: cluster, session: session)
        case .cleaning, .quarantined:
            // Cleaning may have begun while the tenant's API did not answer.
            guard let session else {
                try await deleteTicket(of: machine)
                return .done
            }
            session.drains.end(machine.name)
            try await disown(machine, session: session)
            if machine.podsAreEnded { try await session.client.deleteIfPresent(Node.self, machine.name) }
            return .done
        case .available, .reimaging, nil:
            return .done
        }
    }

    /// Removes all that the tenant knows of the node, on which nothing runs any more.
    func forget(_ machine: Machine, session: TenantSession) async throws {
        try await disown(machine, session: session)
        try await session.client.deleteIfPresent(Node.self, machine.name)
    }

    /// Takes the node out of the operator's record: from here on its certificate is worthless.
    func disown(_ machine: Machine, session: TenantSession) async throws {
        try await session.client.deleteIfPresent(ConfigMap.self, machine.name, namespace: NodeRecord.namespace)
        try await deleteTicket(of: machine)
    }

    func deleteTicket(of machine: Machine) async throws {
        try await client.deleteIfPresent(Secret.self, JoinTicket.secretName(machine: machine.name), namespace: operatorNamespace)
    }

    /// Passes the Machine on towards its release, if it is still in the phase that was seen. One that a person wants out of use is
    /// left as it is instead of being cleaned.
    func handOver(_ machine: Machine, to phase: MachinePhase, for reason: ReleaseReason? = nil) async throws {
        let seen = machine.status?.phase
        let epoch = machine.status?.claim?.epoch
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == seen, now.status?.claim?.epoch == epoch else { return false }
            let quarantine = phase == .cleaning ? now.status?.quarantineReason : nil
            now.status?.phase = quarantine == nil ? phase : .quarantined
            now.status?.claim?.released = true
            if let reason { now.status?.claim?.releasedFor = reason }
            now.status?.message = quarantine
            return true
        }
    }
}
