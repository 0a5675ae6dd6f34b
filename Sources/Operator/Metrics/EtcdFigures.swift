import ControlPlane
import Synchronization

/// What was seen last of the databases of tenants' etcds, by whoever looks at them, for metrics. Not in a status: it changes with every
/// look, and nobody waits for it.
final class EtcdFigures: Sendable {
    struct Member: Sendable, Equatable {
        /// `etcd-0`.
        var name: String
        /// Bytes of the file.
        var size: Int
        var inUse: Int
        var quota: Int
    }

    private let seen = Mutex<[String: [Member]]>([:])

    /// - Parameters:
    ///   - statuses: of the members that answer, by ordinal.
    ///   - cluster: its UID.
    func note(_ statuses: [Int: EtcdStatus], quota: Int, of cluster: String) {
        let members = statuses.sorted { $0.key < $1.key }.map { ordinal, status in
            Member(name: NestboxName.etcdMember(ordinal), size: Int(status.size), inUse: Int(status.sizeInUse), quota: quota)
        }
        seen.withLock { $0[cluster] = members }
    }

    /// What is known of these clusters; of others it is forgotten.
    func keep(_ clusters: Set<String>) -> [String: [Member]] {
        seen.withLock { seen in
            seen = seen.filter { clusters.contains($0.key) }
            return seen
        }
    }
}
