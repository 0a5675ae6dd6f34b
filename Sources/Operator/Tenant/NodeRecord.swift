import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient

/// What a node may carry, by the operator's record and not by the node: a ConfigMap in a namespace of the tenant that no
/// node can write. The tunnel routes by it and the approval of certificates decides by it.
struct NodeRecord: Equatable, Sendable {
    var node: String
    var addresses: [String]
    var podCIDR: String
    /// RFC 3339; a certificate that started earlier is refused by the tunnel. `pending` until the first is issued.
    var notBefore: String
    /// When this claim's record was made: requests from before belong to an earlier life of the machine.
    var since: Date?
    /// The claim's.
    var epoch: Int
    /// Whether kubeadm joined it: there is no Machine, and its addresses are what its Node said when it came.
    var isKubeadms = false
}

extension NodeRecord {
    static let namespace = NestboxName.systemNamespace
    static let label = NestboxLabel.record
    /// A moment that no certificate starts after.
    static let pending = "9999-12-31T23:59:59Z"

    private static let origin = "joinedBy"
    private static let kubeadm = "kubeadm"

    var isPending: Bool { notBefore == Self.pending }

    /// What the record of a node that nobody named before may be called.
    static func mayName(_ node: String) -> Bool {
        node != NestboxName.apiEndpointsRecord && (1...253).contains(node.utf8.count) && node.utf8.first != UInt8(ascii: ".")
            && node.utf8.allSatisfy { "abcdefghijklmnopqrstuvwxyz0123456789-.".utf8.contains($0) }
    }

    init?(_ object: ConfigMap) {
        guard object.metadata.labels?[Self.label] == "node", let data = object.data, let podCIDR = data["podCIDR"],
            let notBefore = data["notBefore"]
        else { return nil }
        self.init(
            node: object.name, addresses: (data["addresses"] ?? "").split(separator: ",").map(String.init), podCIDR: podCIDR,
            notBefore: notBefore, since: data["since"].flatMap(Timestamp.parse), epoch: data["epoch"].flatMap { Int($0) } ?? 0,
            isKubeadms: data[Self.origin] == Self.kubeadm)
    }

    var object: ConfigMap {
        ConfigMap(
            metadata: ObjectMeta(name: node, namespace: Self.namespace, labels: [Self.label: "node"]),
            data: [
                "addresses": addresses.joined(separator: ","), "podCIDR": podCIDR, "notBefore": notBefore,
                "since": since.map(Timestamp.format) ?? "", "epoch": String(epoch),
            ].merging(isKubeadms ? [Self.origin: Self.kubeadm] : [:]) { own, _ in own })
    }
}

extension KubernetesClient {
    func nodeRecord(_ node: String) async throws -> NodeRecord? {
        try await find(ConfigMap.self, ObjectKey(namespace: NodeRecord.namespace, name: node)).flatMap(NodeRecord.init)
    }

    func nodeRecords() async throws -> [NodeRecord] {
        try await list(ConfigMap.self, namespace: NodeRecord.namespace, labels: "\(NodeRecord.label)=node").items.compactMap(
            NodeRecord.init)
    }

    func applyNodeRecord(_ record: NodeRecord) async throws {
        _ = try await apply(record.object, fieldManager: fieldManager)
    }
}
