import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

extension NodeReconciler {
    /// Takes the node out of the tenant, drained where that can be, and passes the machine on to be cleaned; one that nothing was
    /// changed on is free at once.
    func leave(_ machine: Machine, claim: MachineClaim, isAlive: Bool, session: TenantSession?) async throws -> ReconcileResult {
        let wasNode = machine.status?.facts?.kubeletVersion != nil
        let unfit = wasNode ? nil : machine.unfitness(for: claim.hostedClusterUID)
        let decision = LeaveDecision(
            isAlive: isAlive, mayHavePods: wasNode, isRecorded: unfit != nil, hasSession: session != nil,
            since: isAlive ? try await drainStart(of: machine) : Date(), timeout: try await drainTimeout(claim), now: Date())
        switch decision {
        case .wait(let deadline):
            try await say("draining: waits for the tenant's API to answer", on: machine)
            return deadline.map { .requeue(after: .seconds(max(1, $0.timeIntervalSinceNow.rounded(.up)))) } ?? .done
        case .drain:
            guard let session else { return .done }
            if let trouble = await remains(machine, session: session) {
                try await say("draining: \(trouble.words)", on: machine)
                return .requeue(after: trouble.pause)
            }
        case .handOver:
            if let session {
                do { try await forget(machine, session: session) } catch {
                    // Tried again while it is cleaned.
                    logger.warning(
                        "the tenant could not be made to forget a node", metadata: ["machine": "\(machine.name)", "error": "\(error)"])
                }
            }
        }
        if let unfit { try await free(machine, unfit) } else { try await handOver(machine, to: .cleaning) }
        return .done
    }

    /// Cordons and drains the node and takes it out of the tenant; what keeps that from being done, or nil when it was.
    private func remains(_ machine: Machine, session: TenantSession) async -> (words: String, pause: Duration)? {
        do {
            if let node = try await session.client.find(Node.self, ObjectKey(name: machine.name)), node.isReady {
                if node.spec?.unschedulable != true {
                    _ = try await session.client.patch(Node.self, node.name, merge: ["spec": ["unschedulable": true]])
                }
                if let blocked = try await drain(node, session: session) { return (blocked, .seconds(1)) }
            }
            try await forget(machine, session: session)
            return nil
        } catch {
            // Said, and asked again soon: a backoff might sleep over the deadline.
            return ("the tenant's API: \(error)", .seconds(5))
        }
    }

    /// Gives back a machine that was found unfit before anything on it was changed: there is nothing to clean.
    private func free(_ machine: Machine, _ unfit: String) async throws {
        let epoch = machine.status?.claim?.epoch
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining, now.status?.claim?.epoch == epoch else { return false }
            now.status?.phase = .available
            now.status?.claim = nil
            now.status?.message = unfit
            var conditions = ConditionSet(
                now.status?.conditions?.filter { $0.type == "Reachable" }, generation: now.metadata.generation)
            conditions.set("Claimable", false, reason: "Unfit", message: unfit)
            now.status?.conditions = conditions.list
            return true
        }
    }

    /// Asks for evictions; what still keeps the drain, in words, or nil when the node is empty.
    func drain(_ node: Node, session: TenantSession) async throws -> String? {
        let pods = try await session.client.list(Pod.self, fields: "spec.nodeName=\(node.name)").items
        let decision = DrainDecision(pods: pods)
        var refusals: [String] = []
        for pod in decision.evict {
            do {
                _ = try await session.client.subresource(
                    .post, "eviction", of: Pod.self, pod.name, namespace: pod.namespace, body: EvictionRequest(of: pod, on: node))
            } catch let error as KubernetesError where error.isNotFound {
            } catch let error as KubernetesError {
                refusals.append("\(pod.key): \(error)")
            }
        }
        if decision.isOver { return nil }
        if let first = refusals.first { return first }
        return "\(decision.evict.count + decision.terminating.count) pods are still on the node"
    }

    /// The pool's patience in seconds; 0 for ever.
    func drainTimeout(_ claim: MachineClaim) async throws -> TimeInterval {
        let pool = try await client.find(NodePool.self, ObjectKey(namespace: claim.namespace, name: claim.nodePool))?.withDefaults()
        return pool?.spec?.drainTimeout.flatMap(GoDuration.init)?.seconds ?? 600
    }

    /// When the first pass over the drain was.
    private func drainStart(of machine: Machine) async throws -> Date {
        let started = machine.status?.conditions?.named("Draining")?.lastTransitionTime
        if let started = started.flatMap(Timestamp.parse) { return started }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining else { return false }
            var conditions = ConditionSet(now.status?.conditions, generation: now.metadata.generation)
            conditions.set("Draining", true, reason: "Released", message: "pods are being moved away")
            now.status?.conditions = conditions.list
            return true
        }
        return Date()
    }

    private func say(_ message: String, on machine: Machine) async throws {
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining else { return false }
            now.status?.message = message
            return true
        }
    }
}
