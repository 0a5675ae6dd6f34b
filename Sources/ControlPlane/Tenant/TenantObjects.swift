import KubernetesAPI
import KubernetesVersions

/// What has to be inside the tenant's cluster, in the order in which it can be applied.
public enum TenantObjects {
    /// Roles and bindings, and the namespace of the operator's record. To be applied as `ClusterKeys.bootstrapClient`: nobody else may
    /// grant these rights.
    public static func access(_ settings: ClusterSettings) -> [any KubernetesObject] {
        [Namespace(metadata: tenantMetadata(NestboxName.systemNamespace, namespace: nil)) as any KubernetesObject]
            + TenantRBAC.render(settings) + KubeadmObjects.access(settings) + KubeProxy.access(settings) + CoreDNS.access(settings)
    }

    /// `default/kubernetes`, what kubeadm would leave, and the record of endpoints. As `system:nestbox:operator`.
    public static func configuration(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        KubernetesEndpoints.render(input.settings) + KubeadmObjects.configuration(input) + [endpointsRecord(input)]
    }

    /// kube-proxy, CoreDNS and what kubeadm's nodes need, where the spec wants them. As `system:nestbox:operator`.
    public static func addons(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        KubeProxy.render(input) + CoreDNS.render(input) + NodeAgentObjects.render(input.settings)
    }

    /// What may be there from an earlier spec and is no longer wanted. As `system:nestbox:operator`, which may delete all of it.
    public static func unwanted(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        (KubeProxy.isEnabled(input.settings) ? [] : KubeProxy.workloads(input))
            + (CoreDNS.isEnabled(input) ? [] : CoreDNS.workloads(input.settings, image: ""))
            + (input.settings.allowsKubeadmJoin
                ? [] : KubeadmObjects.joinBindings + [NodeAgentObjects.daemonSet(input.settings)])
    }

    /// Where the API and the tunnel are published: the tunnel server pushes it to every node.
    private static func endpointsRecord(_ input: ControlPlaneInput) -> ConfigMap {
        let told = input.toldEndpoints ?? input.endpoints
        return ConfigMap(
            metadata: tenantMetadata(
                NestboxName.apiEndpointsRecord, namespace: NestboxName.systemNamespace, labels: [NestboxLabel.record: "endpoints"]),
            data: [
                "api": told.api.joined(separator: ","), "tunnel": told.tunnel.joined(separator: ","),
            ])
    }
}

/// Metadata of an object inside the tenant.
func tenantMetadata(_ name: String, namespace: String?, labels: [String: String] = [:]) -> ObjectMeta {
    ObjectMeta(name: name, namespace: namespace, labels: labels.merging([NestboxLabel.managedBy: "nestbox"]) { own, _ in own })
}
