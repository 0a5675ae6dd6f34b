import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import Synchronization

/// Looks after the nodes of one tenant that kubeadm joined: records what they may carry, and gives `nestbox-node` there its files.
final class KubeadmNodes: Reconciler {
    /// They share the pod network and one ConfigMap: all are looked at together.
    static let all = ObjectKey(name: "kubeadm-nodes")

    private struct State {
        var join: KubeadmJoin?
        /// What the ConfigMap was given last.
        var files: [String: String]?
        var said: [String] = []
    }

    private let client: KubernetesClient
    private let nodes: Informer<Node>
    private let certificateAuthority: String
    private let logger: Logger
    private let state = Mutex(State())
    private let relay = KeyRelay()

    init(client: KubernetesClient, nodes: Informer<Node>, certificateAuthority: String, logger: Logger) {
        self.client = client
        self.nodes = nodes
        self.certificateAuthority = certificateAuthority
        self.logger = logger
    }

    var isAllowed: Bool { state.withLock { $0.join != nil } }

    func deliver(to controller: Controller) { relay.deliver(to: controller) }

    /// - Parameter join: nil where kubeadm may join no machine (any more).
    func follow(_ join: KubeadmJoin?) {
        let isNew = state.withLock { state in
            guard state.join != join else { return false }
            state.join = join
            return true
        }
        if isNew { relay.send(Self.all) }
    }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let join = state.withLock({ $0.join }), nodes.isSynced else { return .done }
        let records = try await client.nodeRecords()
        guard records.contains(where: \.isKubeadms) else { return .done }
        let decision = KubeadmNodesDecision(join, records: records, nodes: nodes.list(), now: Date())
        for name in decision.forgotten { try await client.deleteIfPresent(ConfigMap.self, name, namespace: NodeRecord.namespace) }
        for record in decision.records { try await client.applyNodeRecord(record) }
        let files = decision.files(join, certificateAuthority: certificateAuthority)
        if state.withLock({ $0.files }) != files {
            let metadata = ObjectMeta(name: NodeAgentObjects.name, namespace: NodeAgentObjects.namespace)
            _ = try await client.apply(ConfigMap(metadata: metadata, data: files), fieldManager: fieldManager)
            state.withLock { $0.files = files }
        }
        for (name, podCIDR) in decision.podCIDRs { try await mark(name, podCIDR: podCIDR) }
        for problem in decision.problems where state.withLock({ !$0.said.contains(problem) }) {
            logger.warning("a node that kubeadm joined", metadata: ["reason": "\(problem)"])
        }
        state.withLock { $0.said = decision.problems }
        return decision.lookAgain.map { .requeue(after: .left(until: $0)) } ?? .done
    }

    /// From here on `nestbox-node` runs on it.
    private func mark(_ name: String, podCIDR: String) async throws {
        guard let node = nodes.get(ObjectKey(name: name)) else { return }
        let label = NodeAgentObjects.nodeLabel
        var patch: [String: JSONValue] = [:]
        if node.metadata.labels?[label.key] != label.value { patch["metadata"] = ["labels": [label.key: .string(label.value)]] }
        if node.spec?.podCIDR == nil { patch["spec"] = ["podCIDR": .string(podCIDR), "podCIDRs": [.string(podCIDR)]] }
        guard !patch.isEmpty else { return }
        _ = try await client.patch(Node.self, name, merge: .object(patch))
    }
}

extension InformerChange<Node> {
    /// A node that only says that it is alive, as each does all the time, matters to nobody.
    var mattersToRecords: Bool {
        guard case .updated(let old, let new) = self else { return true }
        return old.status?.addresses != new.status?.addresses || old.metadata.labels != new.metadata.labels
            || old.spec?.podCIDR != new.spec?.podCIDR
    }
}
