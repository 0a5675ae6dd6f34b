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

    /// Pods that are to be made anew while etcd's own list cannot be read. Before anybody is served those are all outdated ones; later one
    /// that serves nobody, while all that are of the newest template run: what keeps those from running is not to end the others, too,
    /// which may come back by themselves.
    func renewals(isBootstrapped: Bool) -> [Int] {
        let outdated = outdated.filter { pods[$0] != .going }.sorted()
        guard isBootstrapped else { return outdated }
        let isCalm =
            pods.count == statefulSet?.spec?.replicas ?? pods.count
            && pods.allSatisfy { $0.value != .going && (self.outdated.contains($0.key) || $0.value == .running) }
        // A volume that is being deleted goes with its pod, and of a lone member there is no other.
        let idle = outdated.filter { !ready.contains($0) && !(pods.count == 1 && volumes[$0] == .going) }
        // What runs may only be out of reach, as its node may be.
        let next = idle.first { pods[$0] != .running } ?? idle.first
        return isCalm ? next.map { [$0] } ?? [] : []
    }

    /// Why no member can serve, when that is so of all: their data is gone, or cannot be read.
    var loss: String? {
        let reasons = pods.sorted { $0.key < $1.key }.compactMap { ordinal, pod in
            switch pod {
            case .empty: "\(NestboxName.etcdMember(ordinal)) finds its data gone"
            case .unusable(let why): "\(NestboxName.etcdMember(ordinal)) does not start: \(why)"
            case .withoutVolume: "the volume of \(NestboxName.etcdMember(ordinal)) is gone"
            default: nil as String?
            }
        }
        // Of one that has no pod at the moment nothing is known.
        return reasons.isEmpty || reasons.count < max(pods.count, statefulSet?.spec?.replicas ?? 0) ? nil : reasons.joined(separator: ", ")
    }
}
