import ControlPlane
import KubernetesAPI
import KubernetesClient

/// A member's claim of a volume.
enum EtcdVolume: Equatable, Sendable {
    case there
    /// It is being deleted, and waits for its pod to go.
    case going
    /// The volume that it was bound to cannot be had any more, for this reason.
    case lost(String)
}

extension EtcdVolume {
    init(_ claim: PersistentVolumeClaim) {
        self = claim.metadata.isBeingDeleted ? .going : claim.status?.phase == "Lost" ? .lost("its volume is gone") : .there
    }

    /// The claims' names are the StatefulSet controller's.
    static func name(_ ordinal: Int) -> String { name(ofPod: NestboxName.etcdMember(ordinal)) }

    static func name(ofPod pod: String) -> String { "data-\(pod)" }

    /// A volume that lies on a node's own disk is looked for only while no node is found for its pod: it is lost when the Node object is
    /// gone, which is how an admin says that the node does not come back (Kubernetes docs, "Non-graceful node shutdown").
    static func look(at claim: PersistentVolumeClaim, of pod: Pod?, with client: KubernetesClient) async throws -> EtcdVolume {
        let volume = EtcdVolume(claim)
        guard volume == .there, pod?.isUnscheduled == true, let name = claim.spec?.volumeName,
            let hostnames = try await client.find(PersistentVolume.self, name)?.hostnames
        else { return volume }
        let selector = "\(PersistentVolume.hostname) in (\(hostnames.sorted().joined(separator: ",")))"
        guard try await client.list(Node.self, labels: selector).items.isEmpty else { return volume }
        return .lost("its volume is on \(hostnames.sorted().joined(separator: " or ")), which the host has no more")
    }
}

extension PersistentVolume {
    static let hostname = "kubernetes.io/hostname"

    /// The nodes that it can be used on, where it names each of them, as one on a node's own disk does; nil for one that may move.
    var hostnames: Set<String>? {
        guard let terms = spec?.nodeAffinity?.required?.nodeSelectorTerms, !terms.isEmpty else { return nil }
        var names: Set<String> = []
        for term in terms {
            guard let own = term.matchExpressions?.first(where: { $0.key == Self.hostname && $0.operator == "In" })?.values else {
                return nil
            }
            names.formUnion(own)
        }
        return names.isEmpty ? nil : names
    }
}

extension Pod {
    /// Whether the host's scheduler has said that it finds no node for it.
    fileprivate var isUnscheduled: Bool {
        status?.conditions?.contains { $0.type == "PodScheduled" && $0.status == "False" } ?? false
    }
}
