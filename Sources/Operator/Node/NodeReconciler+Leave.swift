import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension NodeReconciler {
    /// Cordons and drains the node, then takes it out of the tenant and passes the machine on to be cleaned.
    func leave(_ machine: Machine, claim: MachineClaim, session: TenantSession) async throws -> ReconcileResult {
        if let node = try await session.client.find(Node.self, ObjectKey(name: machine.name)) {
            let deadline = try await drainDeadline(of: machine, claim: claim)
            if node.isReady, deadline.map({ Date() < $0 }) ?? true {
                if node.spec?.unschedulable != true {
                    _ = try await session.client.patch(Node.self, node.name, merge: ["spec": ["unschedulable": true]])
                }
                let blocked = try await drain(node, session: session)
                guard blocked == nil else {
                    try await say("draining: \(blocked ?? "")", on: machine)
                    return .requeue(after: .seconds(1))
                }
            }
        }
        try await forget(machine, session: session)
        try await handOver(machine, to: .cleaning)
        return .done
    }

    /// Asks for evictions; what still keeps the drain, in words, or nil when the node is empty.
    private func drain(_ node: Node, session: TenantSession) async throws -> String? {
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

    /// When the pool's patience ends, counted from the first pass over the drain; nil for never.
    private func drainDeadline(of machine: Machine, claim: MachineClaim) async throws -> Date? {
        let pool = try await client.find(NodePool.self, ObjectKey(namespace: claim.namespace, name: claim.nodePool))?.withDefaults()
        let seconds = pool?.spec?.drainTimeout.flatMap(GoDuration.init)?.seconds ?? 600
        let started = machine.status?.conditions?.named("Draining")?.lastTransitionTime
        guard let started = started.flatMap(Timestamp.parse) else {
            try await client.updateMachineStatus(machine.name) { now in
                var conditions = ConditionSet(now.status?.conditions, generation: now.metadata.generation)
                conditions.set("Draining", true, reason: "Released", message: "pods are being moved away")
                now.status?.conditions = conditions.list
                return true
            }
            return seconds == 0 ? nil : Date().addingTimeInterval(seconds)
        }
        return seconds == 0 ? nil : started.addingTimeInterval(seconds)
    }

    private func say(_ message: String, on machine: Machine) async throws {
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .draining else { return false }
            now.status?.message = message
            return true
        }
    }
}
