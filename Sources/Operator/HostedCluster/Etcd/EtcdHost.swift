import ControlPlane
import KubernetesAPI

/// What the host shows of one cluster's etcd.
struct EtcdHost {
    var statefulSet: StatefulSet?
    var pods: [Int: EtcdPod]
    var volumes: [Int: EtcdVolume]
    /// Ordinals of pods that were made from an earlier template; none while the host has not yet looked at the newest.
    var outdated: Set<Int> = []
    /// Of pods whose kubelet says that they serve.
    var ready: Set<Int> = []
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

    /// Pods that are to be made anew while etcd's own list cannot be read: outdated ones that serve nobody; before anybody is served, all.
    func renewals(isBootstrapped: Bool) -> [Int] {
        outdated.filter { pods[$0] != .going && !(isBootstrapped && ready.contains($0)) }.sorted()
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
        // Of one that has no pod at the moment nothing is known.
        return reasons.isEmpty || reasons.count < max(pods.count, statefulSet?.spec?.replicas ?? 0) ? nil : reasons.joined(separator: ", ")
    }
}
