import ControlPlane
import KubernetesAPI

/// What the host shows of one cluster's etcd.
struct EtcdHost {
    var statefulSet: StatefulSet?
    var pods: [Int: EtcdPod]
    var volumes: [Int: EtcdVolume]
    /// All of it as the API server counts changes: with the same marks nothing has changed, no container was started anew, and who was
    /// ready is so still.
    var marks: [String] = []
}

extension EtcdHost {
    /// Pods that are to run while etcd's own list cannot be read: those that there are, or whose volumes there are.
    func replicas(orNew wanted: Int) -> Int {
        let known = max(statefulSet?.spec?.replicas ?? 0, (volumes.keys.max() ?? -1) + 1)
        return known > 0 ? known : wanted
    }

    /// Pods that are to run from now on. While etcd's own list is known, a volume that is left of an earlier life asks for no pod.
    func replicas(after step: MembershipDecision?, _ sight: EtcdSight?, orNew wanted: Int) -> Int {
        step?.replicas ?? sight?.replicas ?? replicas(orNew: wanted)
    }

    /// Why no member can serve, when that is so of all: their data is gone, or cannot be read.
    var loss: String? {
        let reasons = pods.sorted { $0.key < $1.key }.compactMap { ordinal, pod in
            switch pod {
            case .empty: "\(NestboxName.etcdMember(ordinal)) finds its data gone"
            case .unusable(let why): "\(NestboxName.etcdMember(ordinal)) does not start: \(why)"
            default: nil as String?
            }
        }
        return reasons.isEmpty || reasons.count < pods.count ? nil : reasons.joined(separator: ", ")
    }
}
