import KubernetesAPI
import NestboxAPI

/// On which nodes of the host a component's pods run, and how long they stay on one that does not answer.
enum Placement {
    private static let host = "kubernetes.io/hostname"
    private static let zone = "topology.kubernetes.io/zone"

    static func place(_ pod: inout PodSpec, _ input: ControlPlaneInput, _ component: Component) {
        let settings = input.settings
        guard settings.template != .first else {
            if settings.replicas > 1 { pod.affinity = apart(settings, component, [(host, 100)]) }
            return
        }
        // Preferred: a host with fewer nodes or zones than replicas runs them all the same. Also with one replica, so that growing changes
        // no pod.
        pod.affinity = apart(settings, component, [(host, 100), (zone, 50)])
        pod.topologySpreadConstraints = [host, zone].map { key in
            TopologySpreadConstraint(
                maxSkew: 1, topologyKey: key, whenUnsatisfiable: "ScheduleAnyway", labelSelector: settings.selector(component))
        }
        pod.tolerations = tolerations(input, component)
    }

    private static func apart(_ settings: ClusterSettings, _ component: Component, _ keys: [(key: String, weight: Int)]) -> Affinity {
        let terms = keys.map { key, weight in
            WeightedPodAffinityTerm(
                weight: weight, podAffinityTerm: PodAffinityTerm(labelSelector: settings.selector(component), topologyKey: key))
        }
        return Affinity(podAntiAffinity: PodAffinity(preferredDuringSchedulingIgnoredDuringExecution: terms))
    }

    /// The spec's, and for each taint of a node that is lost one of our own where the spec says nothing of it.
    private static func tolerations(_ input: ControlPlaneInput, _ component: Component) -> [Toleration] {
        let given = input.settings.spec.controlPlane?.tolerations ?? []
        let seconds = patience(input.scale, component)
        let own = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"].filter { key in
            !given.contains { tolerates($0, key) }
        }
        return given + own.map { Toleration(key: $0, operator: "Exists", effect: "NoExecute", tolerationSeconds: seconds) }
    }

    private static func tolerates(_ toleration: Toleration, _ taint: String) -> Bool {
        let key = toleration.key ?? ""
        return (key.isEmpty || key == taint) && [nil, "", "NoExecute"].contains(toleration.effect)
    }

    /// How long a pod is kept on a node that is lost; nil for ever.
    ///
    /// The host says that a node is lost some 40 s after its last word. Two other API servers serve by then, and a third is wanted back
    /// soon; a lone one is given time for its node to come back, as a second start is a second gap.
    ///
    /// A member of etcd stays. A StatefulSet makes no second pod of a name before the first is known to be gone, which on a node that does
    /// not answer is never; and a volume that lies on the node could not follow it. All that an eviction would do is to end a good member
    /// when its node comes back. Where a node is gone for good, its Node object is deleted, and the pod with it.
    private static func patience(_ scale: ControlPlaneScale, _ component: Component) -> Int? {
        switch component {
        // As many of them are to run as members that they are told of: when the others come, no pod changes.
        case .controlPlane: scale.etcdServers > 1 ? 5 : 30
        case .etcd, .etcdSnapshot: nil
        }
    }
}
