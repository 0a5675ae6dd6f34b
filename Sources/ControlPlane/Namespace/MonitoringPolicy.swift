import KubernetesAPI

/// Lets the provider's Prometheus in, from namespaces that an admin of the host has marked, to what tells of a control plane and holds
/// nothing of the tenant's: etcd's and the tunnel server's plain metrics, and two components that ask for a token of the tenant's.
enum MonitoringPolicy {
    static func render(_ settings: ClusterSettings) -> NetworkPolicy {
        let ports = [NestboxPort.etcdMetrics, NestboxPort.tunnelHealth, NestboxPort.controllerManager, NestboxPort.scheduler]
        return NetworkPolicy(
            metadata: settings.metadata("monitoring"),
            spec: NetworkPolicySpec(
                podSelector: LabelSelector(), policyTypes: ["Ingress"],
                ingress: [
                    NetworkPolicyIngressRule(
                        from: [
                            NetworkPolicyPeer(namespaceSelector: LabelSelector(matchLabels: [NestboxLabel.monitoringNamespace: "true"]))
                        ],
                        ports: ports.map { NetworkPolicyPort(protocol: "TCP", port: .int($0)) })
                ]))
    }
}
