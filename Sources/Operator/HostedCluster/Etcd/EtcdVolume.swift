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
    /// - Parameter loss: why its volume cannot be had, where it is known not to be.
    init(_ claim: PersistentVolumeClaim, loss: String? = nil) {
        let loss = loss ?? (claim.status?.phase == "Lost" ? "its volume is gone" : nil)
        self = claim.metadata.isBeingDeleted ? .going : loss.map(EtcdVolume.lost) ?? .there
    }

    /// The claims' names are the StatefulSet controller's.
    static func name(_ ordinal: Int) -> String { name(of: NestboxName.etcdMember(ordinal)) }

    static func name(of pod: String) -> String { "data-\(pod)" }

    /// Why a claim's volume cannot be had any more though the host still has it; nil when it can.
    ///
    /// Asked only while no node is found for its pod: a volume on a node's own disk is lost when the Node object is gone, which is how an
    /// admin says that the node does not come back.
    static func loss(of claim: PersistentVolumeClaim, with client: KubernetesClient) async throws -> String? {
        guard let name = claim.spec?.volumeName, let hostnames = try await client.find(PersistentVolume.self, name)?.hostnames else {
            return nil
        }
        let selector = "\(PersistentVolume.hostname) in (\(hostnames.sorted().joined(separator: ",")))"
        guard try await client.list(Node.self, labels: selector).items.isEmpty else { return nil }
        return "its volume is on \(hostnames.sorted().joined(separator: " or ")), which the host has no more"
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
