import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin

extension NodeReconciler {
    /// Says how the Node is, and has its machine looked at when it is unwell for longer than the pool allows.
    func watch(
        over node: Node?, of machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws -> ReconcileResult {
        let isUnderWay = [.mending, .notMended].contains(machine.status?.repair?.state)
        try await note(node, of: machine, claim: claim)
        if node?.isReady == true, !isUnderWay { return .done }
        guard let machine = try await client.find(Machine.self, ObjectKey(name: machine.name)), machine.status?.phase == .ready,
            machine.status?.claim?.epoch == claim.epoch
        else { return .done }
        let seen = machine.status?.conditions?.named("NodeReady")
        let settings = pool.withDefaults().spec?.autoRepair ?? AutoRepairSpec()
        let decision = RepairDecision(
            isReady: machine.isReadyNode, since: seen.flatMap { Timestamp.parse($0.lastTransitionTime) }, repair: machine.status?.repair,
            settings: settings, now: Date())
        switch decision {
        case .nothing:
            if machine.status?.repair?.state == .mending, machine.status?.repair?.needsTicket == true {
                try await ensureTicket(for: machine, hasNode: false, claim: claim, pool: pool, cluster: cluster, session: session)
            }
            return .done
        case .wait(let due):
            return .requeue(after: .left(until: due))
        case .begin(let attempts):
            // A paused cluster's nodes are left as they are.
            guard cluster.specTrouble == nil else { return .requeue(after: .seconds(60)) }
            let words = "its Node is not Ready for longer than \(settings.unhealthyTimeout ?? ""): the machine is looked at"
            try await change(machine, to: .mending, reason: "NodeUnhealthy", words, event: .normal) { $0.attempts = attempts }
        case .mended:
            let words = RepairStatus.mendedWords(machine.status?.repair?.message)
            try await change(machine, to: .mended, reason: "Mended", words, event: .normal) { _ in }
            try await deleteTicket(of: machine)
        case .callOff:
            try await change(machine, to: nil, reason: "CalledOff", "autoRepair was turned off", event: nil) { _ in }
            try await deleteTicket(of: machine)
        }
        return .done
    }

    /// Whether the Node is Ready, when that differs from what the Machine says.
    func note(_ node: Node?, of machine: Machine, claim: MachineClaim) async throws {
        let health = NodeHealth(node)
        let known = machine.status?.conditions?.named("NodeReady")
        guard known?.status != (health.isReady ? "True" : "False") || known?.reason != health.reason else { return }
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard [.ready, .draining].contains(now.status?.phase), now.status?.claim?.epoch == claim.epoch else { return false }
            now.setCondition("NodeReady", health.isReady, reason: health.reason, message: health.message)
            return true
        }
        if changed, !health.isReady { await events.record(.warning, reason: health.reason, message: health.message, on: machine) }
    }

    /// Moves the repair on, if it still is where it was seen.
    private func change(
        _ machine: Machine, to state: RepairState?, reason: String, _ message: String, event: EventType?,
        _ change: (inout RepairStatus) -> Void
    ) async throws {
        let seen = machine.status?.repair?.state
        let epoch = machine.status?.claim?.epoch
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .ready, now.status?.claim?.epoch == epoch, now.status?.repair?.state == seen else { return false }
            now.setCondition("Repairing", state == .mending, reason: reason, message: message)
            now.status?.message = state == .mending ? message : nil
            guard let state else {
                now.status?.repair = nil
                return true
            }
            var repair = now.status?.repair ?? RepairStatus(state: state, since: "")
            (repair.state, repair.since, repair.needsTicket) = (state, Timestamp.format(Date()), nil)
            change(&repair)
            now.status?.repair = repair
            return true
        }
        if changed, let event { await events.record(event, reason: reason, message: message, on: machine) }
    }
}

/// What a tenant's Node says of itself, as a Machine's condition. It is the tenant's word: bounded and cleaned.
struct NodeHealth: Equatable {
    var isReady: Bool
    var reason: String
    var message: String

    init(_ node: Node?) {
        guard let node else {
            self.init(isReady: false, reason: "NodeGone", message: "its Node is gone from the tenant's cluster")
            return
        }
        let ready = node.status?.conditions?.first { $0.type == "Ready" }
        switch ready?.status {
        case "True": self.init(isReady: true, reason: "NodeReady", message: "")
        case "False":
            let words = ready?.message.map { MachineWords.cleaned($0) } ?? ""
            self.init(
                isReady: false, reason: "NodeNotReady",
                message: "its Node is not Ready in the tenant's cluster" + (words.isEmpty ? "" : ": \(words)"))
        default:
            self.init(
                isReady: false, reason: "NodeStatusUnknown", message: "its Node's kubelet is not heard of in the tenant's cluster")
        }
    }

    private init(isReady: Bool, reason: String, message: String) {
        (self.isReady, self.reason, self.message) = (isReady, reason, message)
    }
}
