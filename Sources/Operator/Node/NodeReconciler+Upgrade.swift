import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension NodeReconciler {
    /// Takes a node through its upgrade in place: cordon, drain, ticket for the machines operator, look at the Node, uncordon.
    func upgrade(
        _ machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws -> ReconcileResult {
        guard let upgrade = machine.status?.upgrade, let template = NodeTemplate(pool, in: cluster) else { return .done }
        let node = try await session.client.find(Node.self, ObjectKey(name: machine.name))
        let patience = pool.withDefaults().spec?.drainTimeout.flatMap(GoDuration.init)?.seconds ?? 600
        let decision = UpgradeDecision(
            upgrade, node: node, version: template.version, revision: template.revision, patience: patience, now: Date())
        switch decision {
        case .wait: return .done
        case .drain(let deadline):
            guard let node else { return .done }
            if let pause = try await remains(on: node, of: machine, upgrade, claim: claim, cluster: cluster, session: session) {
                return .requeue(after: deadline.map { min(pause, .left(until: $0)) } ?? pause)
            }
            return try await install(machine, upgrade, claim: claim, pool: pool, cluster: cluster, session: session)
        case .install:
            if let node, upgrade.drainedAt == nil { try await session.cordon(node, epoch: claim.epoch) }
            return try await install(machine, upgrade, claim: claim, pool: pool, cluster: cluster, session: session)
        case .verify(let lacking):
            if let node { try await settle(node, claim: claim, session: session) }
            try await note(machine, upgrade) { $0.message = "upgrading: \(lacking)" }
            // Its Node's changes come by themselves; this is for a status that was written and did not say more.
            return .requeue(after: .seconds(30))
        case .finish:
            if let node { try await session.uncordon(node) }
            let version = node?.status?.nodeInfo?.kubeletVersion
            try await end(machine, upgrade, "is of revision \(upgrade.revision)") { status in
                status.claim?.revision = upgrade.revision
                status.facts?.kubeletVersion = version
                status.message = nil
                status.upgrade = nil
            }
        case .fallBack:
            if let node { try await session.uncordon(node) }
            try await end(machine, upgrade, upgrade.failure ?? "it failed") { $0.message = "the upgrade failed: \(upgrade.failure ?? "")" }
        }
        return .done
    }

    /// Cordons the node and has its pods moved away. When to look again while there are some; nil when it is empty.
    private func remains(
        on node: Node, of machine: Machine, _ upgrade: MachineUpgrade, claim: MachineClaim, cluster: HostedCluster, session: TenantSession
    ) async throws -> Duration? {
        do {
            try await session.cordon(node, epoch: claim.epoch)
            let drain = NodeDrain(session: session, server: cluster.status?.version ?? cluster.spec?.version) {
                try await client.find(Machine.self, ObjectKey(name: machine.name)).map { now in
                    now.status?.phase == .upgrading && now.status?.upgrade == upgrade && now.status?.claim?.epoch == claim.epoch
                } ?? false
            }
            switch try await drain.look(at: node) {
            case .empty: return nil
            case .unwanted: return .seconds(1)
            case .waits(let left, let again):
                try await note(machine, upgrade) { $0.message = "upgrading: draining: \(left.message)" }
                return again
            }
        } catch let error as KubernetesError {
            // Said, and asked again soon: a backoff might sleep over the deadline.
            try await note(machine, upgrade) { $0.message = "upgrading: draining: the tenant's API: \(error)" }
            return .seconds(5)
        }
    }

    /// Leaves the ticket; from then on the machines operator works.
    private func install(
        _ machine: Machine, _ upgrade: MachineUpgrade, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws -> ReconcileResult {
        let present = try await client.joinTicket(of: machine, in: operatorNamespace)
        if present?.isUpgrade(to: upgrade.revision, epoch: claim.epoch) != true {
            guard cluster.specTrouble == nil, (pool.validate() + pool.validate(in: cluster)).isEmpty else { return .done }
            guard let ticket = try ticket(for: machine, claim: claim, pool: pool, cluster: cluster, session: session, token: nil),
                ticket.revision == upgrade.revision
            else { return .done }
            _ = try await client.apply(ticket.secret(namespace: operatorNamespace), fieldManager: fieldManager)
        }
        session.drains.end(machine.name)
        if upgrade.drainedAt == nil {
            try await note(machine, upgrade) {
                $0.upgrade?.drainedAt = Timestamp.format(Date())
                $0.message = nil
            }
        }
        return .done
    }

    /// Changes the status of a Machine that is still in this upgrade.
    @discardableResult
    private func note(_ machine: Machine, _ upgrade: MachineUpgrade, _ change: (inout MachineStatus) -> Void) async throws -> Bool {
        var isOurs = false
        try await client.updateMachineStatus(machine.name) { now in
            isOurs = now.status?.phase == .upgrading && now.status?.upgrade?.revision == upgrade.revision
            isOurs = isOurs && now.status?.claim?.epoch == machine.status?.claim?.epoch
            guard isOurs, var status = now.status else { return false }
            change(&status)
            now.status = status
            return true
        }
        return isOurs
    }

    /// It is an ordinary node again.
    private func end(
        _ machine: Machine, _ upgrade: MachineUpgrade, _ words: String, _ change: (inout MachineStatus) -> Void
    ) async throws {
        // Before its phase, by which everybody else takes it on.
        try await deleteTicket(of: machine)
        let ended = try await note(machine, upgrade) { status in
            status.phase = .ready
            change(&status)
        }
        guard ended else { return }
        let hasFailed = upgrade.failure != nil
        await events.record(hasFailed ? .warning : .normal, reason: hasFailed ? "UpgradeFailed" : "Upgraded", message: words, on: machine)
    }
}
