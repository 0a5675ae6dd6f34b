import KubernetesAPI

/// The namespace of a control plane and what closes it off.
enum NamespaceObjects {
    static func render(_ settings: ClusterSettings) -> [any KubernetesObject] {
        [namespace(settings)] + NetworkPolicies.render(settings) + [MonitoringPolicy.render(settings)]
    }

    /// Hosts that enforce Pod Security hold us to what the pods say of themselves; older ones ignore the labels.
    private static func namespace(_ settings: ClusterSettings) -> Namespace {
        Namespace(
            metadata: ObjectMeta(
                name: settings.controlPlaneNamespace,
                labels: settings.labels.merging([
                    "pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted",
                ]) { own, _ in own }))
    }
}
