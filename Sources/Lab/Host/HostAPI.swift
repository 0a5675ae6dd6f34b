import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Logging

/// Questions to the host's API, and the objects that the lab puts there.
enum HostAPI {
    static let storageClass = "local"
    static let provisioner = "nestbox.dev/lab"

    static let userAgent = "nestbox-lab"

    /// With short time-outs: it is asked again and again while the API starts.
    static func configuration(kubeconfig: String) throws -> ClientConfiguration {
        var configuration = try ClientConfiguration.kubeconfig(path: kubeconfig)
        configuration.timeouts.connect = .seconds(2)
        configuration.timeouts.request = .seconds(20)
        return configuration
    }

    static func isReady(_ api: KubernetesClient) async -> Bool {
        // Not there yet, not listening yet, not ready yet: all the same to those who wait.
        ((try? await api.raw(.get, path: "/readyz"))?.status ?? 0) == 200
    }

    /// Whether the node is ready, by the word of a kubelet that runs now: after a crash the API still has the old one's.
    static func isNodeReady(_ api: KubernetesClient, _ name: String, since start: Date) async throws -> Bool {
        do {
            return try await api.find(Node.self, name).map { isReady($0, since: start) } ?? false
        } catch let error as KubernetesError where error.isTransient {
            return false
        }
    }

    static func isReady(_ node: Node, since start: Date) -> Bool {
        guard let ready = node.status?.conditions?.first(where: { $0.type == "Ready" }), ready.status == "True" else { return false }
        // Written in whole seconds.
        return ready.lastHeartbeatTime.flatMap(Timestamp.parse).map { $0.addingTimeInterval(1) > start } ?? false
    }

    /// Volumes are folders of one of the host's nodes. With one alone there is nothing to wait for, which would cost each pod a second.
    static func localStorage(nodes: Int) -> StorageClass {
        StorageClass(
            metadata: ObjectMeta(name: storageClass, annotations: ["storageclass.kubernetes.io/is-default-class": "true"]),
            provisioner: provisioner, reclaimPolicy: "Delete", volumeBindingMode: nodes > 1 ? "WaitForFirstConsumer" : "Immediate")
    }

    /// The StorageClass; and Nodes that an earlier lab of this name had are forgotten.
    static func prepare(_ api: KubernetesClient, nodes: [HostNode]) async throws {
        let wanted = localStorage(nodes: nodes.count)
        let present = try await api.find(StorageClass.self, storageClass)
        if let present, present.volumeBindingMode != wanted.volumeBindingMode {
            // It cannot be changed; volumes that are there do not mind.
            try await api.delete(StorageClass.self, storageClass)
        }
        if present?.volumeBindingMode != wanted.volumeBindingMode { _ = try await api.apply(wanted, fieldManager: "nestbox-lab") }
        let known: ObjectList<Node> = try await api.list()
        for node in known.items where !nodes.contains(where: { $0.name == node.name }) {
            try await api.delete(Node.self, node.name)
        }
    }
}
