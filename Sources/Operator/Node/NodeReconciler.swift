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
    let events: EventRecorder
    /// Where tickets are left for the machines operator.
    let operatorNamespace: String
    let logger: Logger

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let machine = try await client.find(Machine.self, key), let claim = machine.status?.claim else { return .done }
        let cluster = try await client.find(
            HostedCluster.self, ObjectKey(namespace: claim.namespace, name: claim.hostedCluster))?.withDefaults()
        let isAlive = cluster?.metadata.uid == claim.hostedClusterUID && cluster?.metadata.isBeingDeleted == false
        let session = sessions.session(claim.hostedClusterUID)

        switch machine.status?.phase {
        case .claimed, .joining:
            // Without a session the API does not answer yet; its opening brings every Machine of the cluster back here.
            guard isAlive, let cluster, let session else { return .done }
            return try await join(machine, claim: claim, cluster: cluster, session: session)
        case .ready:
            guard isAlive, let session else { return .done }
            return try await keep(machine, claim: claim, session: session)
        case .draining:
            guard isAlive, let session else {
                // Deleting a cluster never drains and never waits for the tenant's API.
                try await handOver(machine, to: .cleaning)
                return .done
            }
            return try await leave(machine, claim: claim, session: session)
        case .quarantined:
            if isAlive, let session { try await forget(machine, session: session) }
            try await deleteTicket(of: machine)
            return .done
        case .available, .cleaning, nil:
            return .done
        }
    }

    /// Removes what the tenant knows of the node. From here on its certificate is worthless.
    func forget(_ machine: Machine, session: TenantSession) async throws {
        try await session.client.deleteIfPresent(ConfigMap.self, machine.name, namespace: NodeRecord.namespace)
        try await session.client.deleteIfPresent(Node.self, machine.name)
        try await deleteTicket(of: machine)
    }

    func deleteTicket(of machine: Machine) async throws {
        try await client.deleteIfPresent(Secret.self, JoinTicket.secretName(machine: machine.name), namespace: operatorNamespace)
    }

    /// Passes the Machine on to its next phase, if it is still in the one that was seen.
    func handOver(_ machine: Machine, to phase: MachinePhase) async throws {
        let seen = machine.status?.phase
        let epoch = machine.status?.claim?.epoch
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == seen, now.status?.claim?.epoch == epoch else { return false }
            now.status?.phase = phase
            now.status?.message = nil
            return true
        }
    }
}
