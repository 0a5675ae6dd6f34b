import ControlPlane
import KubernetesAPI
import NestboxAPI

/// What stands under the name of a cluster's control-plane namespace. Pure.
enum NamespaceState: Equatable {
    /// Nothing, and nothing was lost with it.
    case absent
    case own(Namespace)
    /// Somebody else's: it is never adopted.
    case taken
    /// One from before that is still being deleted.
    case ending
    /// The namespace of a cluster that has served is gone or going.
    case lost(String)
}

extension NamespaceState {
    init(_ present: Namespace?, name: String, clusterUID: String, isBootstrapped: Bool) {
        guard let present else {
            self = isBootstrapped ? .lost("its namespace \(name) is gone, and the keys and the data with it") : .absent
            return
        }
        guard present.metadata.labels?[NestboxLabel.clusterUID] == clusterUID else {
            self = isBootstrapped ? .lost("its namespace \(name) is gone, and one that was not made for it has taken the name") : .taken
            return
        }
        guard present.metadata.isBeingDeleted else {
            self = .own(present)
            return
        }
        self = isBootstrapped ? .lost("its namespace \(name) is being deleted") : .ending
    }
}
