import ControlPlane
import KubernetesAPI
import KubernetesClient

/// What the host shows of one cluster's etcd.
struct EtcdHost {
    var statefulSet: StatefulSet?
    var pods: [Int: EtcdPod]
    var volumes: [Int: EtcdVolume]
}

extension EtcdHost {
    static func look(at settings: ClusterSettings, with client: KubernetesClient) async throws -> EtcdHost {
        let namespace = settings.controlPlaneNamespace
        let claims = try await client.list(PersistentVolumeClaim.self, namespace: namespace).items
        let pods = try await client.list(Pod.self, namespace: namespace, labels: ComponentLabel.etcd).items
        var host = EtcdHost(
            statefulSet: try await client.find(StatefulSet.self, NestboxName.etcdStatefulSet, namespace: namespace), pods: [:], volumes: [:]
        )
        for ordinal in settings.etcdNames.indices {
            let pod = pods.first { $0.name == NestboxName.etcdMember(ordinal) }
            if let claim = claims.first(where: { $0.name == EtcdVolume.name(ordinal) }) {
                host.volumes[ordinal] = try await EtcdVolume.look(at: claim, of: pod, with: client)
            }
            host.pods[ordinal] = pod.map { EtcdPod($0, volume: host.volumes[ordinal]) }
        }
        return host
    }

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

/// Selectors of the two kinds of pods in a control-plane namespace.
enum ComponentLabel {
    static let etcd = "\(NestboxLabel.component)=etcd"
    static let controlPlane = "\(NestboxLabel.component)=\(NestboxName.controlPlaneDeployment)"
}
