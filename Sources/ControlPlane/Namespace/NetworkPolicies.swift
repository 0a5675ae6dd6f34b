import KubernetesAPI
import NestboxAPI

/// Nothing goes in or out of a control-plane namespace but what is listed here.
enum NetworkPolicies {
    static func render(_ settings: ClusterSettings) -> [NetworkPolicy] {
        let ofEtcd = settings.externalEtcd == nil ? [etcd(settings), etcdSnapshot(settings)] : []
        return [denyAll(settings), controlPlane(settings)] + ofEtcd + issuer(settings)
    }

    private static func denyAll(_ settings: ClusterSettings) -> NetworkPolicy {
        NetworkPolicy(
            metadata: settings.metadata("default-deny"),
            spec: NetworkPolicySpec(podSelector: LabelSelector(), policyTypes: ["Ingress", "Egress"]))
    }

    private static func controlPlane(_ settings: ClusterSettings) -> NetworkPolicy {
        let itself = [NetworkPolicyPeer(podSelector: settings.selector(.controlPlane))]
        return NetworkPolicy(
            metadata: settings.metadata(Component.controlPlane.rawValue),
            spec: NetworkPolicySpec(
                podSelector: settings.selector(.controlPlane), policyTypes: ["Ingress", "Egress"],
                ingress: [
                    // The API and the tunnel are published: both ask for a certificate or token of this tenant.
                    NetworkPolicyIngressRule(ports: [tcp(NestboxPort.api), tcp(NestboxPort.tunnelAgents)]),
                    NetworkPolicyIngressRule(from: itself, ports: [tcp(NestboxPort.tunnelPeers)]),
                ],
                egress: [
                    toEtcd(settings),
                    NetworkPolicyEgressRule(to: itself, ports: [tcp(NestboxPort.tunnelPeers), tcp(NestboxPort.tunnelAgents)]),
                    NetworkPolicyEgressRule(
                        to: [
                            NetworkPolicyPeer(
                                podSelector: LabelSelector(matchLabels: ["k8s-app": "kube-dns"]), namespaceSelector: LabelSelector())
                        ],
                        ports: [tcp(53), NetworkPolicyPort(protocol: "UDP", port: 53)]),
                ]))
    }

    /// An issuer of OIDC is called by kube-apiserver itself. Nobody else in the pod can be made to call what its owner likes: webhooks
    /// and extension API servers go through the tunnel. A cloud's metadata is nobody's issuer.
    private static func issuer(_ settings: ClusterSettings) -> [NetworkPolicy] {
        guard let port = OIDC.port(settings) else { return [] }
        return [
            NetworkPolicy(
                metadata: settings.metadata(issuerPolicy),
                spec: NetworkPolicySpec(
                    podSelector: settings.selector(.controlPlane), policyTypes: ["Egress"],
                    egress: [
                        NetworkPolicyEgressRule(
                            to: [NetworkPolicyPeer(ipBlock: IPBlock(cidr: "0.0.0.0/0", except: ["169.254.0.0/16"]))],
                            ports: [tcp(port)])
                    ]))
        ]
    }

    static func unneeded(_ settings: ClusterSettings) -> [any KubernetesObject] {
        OIDC.port(settings) == nil ? [NetworkPolicy(metadata: settings.metadata(issuerPolicy))] : []
    }

    private static let issuerPolicy = "oidc"

    private static func toEtcd(_ settings: ClusterSettings) -> NetworkPolicyEgressRule {
        if let external = settings.externalEtcd { return NetworkPolicyEgressRule(ports: ExternalEtcd.ports(external).map(tcp)) }
        return NetworkPolicyEgressRule(
            to: [NetworkPolicyPeer(podSelector: settings.selector(.etcd))], ports: [tcp(NestboxPort.etcdClients)])
    }

    private static func etcd(_ settings: ClusterSettings) -> NetworkPolicy {
        let members = [NetworkPolicyPeer(podSelector: settings.selector(.etcd))]
        return NetworkPolicy(
            metadata: settings.metadata(Component.etcd.rawValue),
            spec: NetworkPolicySpec(
                podSelector: settings.selector(.etcd), policyTypes: ["Ingress", "Egress"],
                ingress: [
                    NetworkPolicyIngressRule(
                        from: [
                            NetworkPolicyPeer(podSelector: settings.selector(.controlPlane)),
                            NetworkPolicyPeer(podSelector: settings.selector(.etcdSnapshot)),
                            NetworkPolicyPeer(namespaceSelector: LabelSelector(matchLabels: [NestboxLabel.operatorNamespace: "true"])),
                        ],
                        ports: [tcp(NestboxPort.etcdClients)]),
                    NetworkPolicyIngressRule(from: members, ports: [tcp(NestboxPort.etcdClients), tcp(NestboxPort.etcdPeers)]),
                ],
                egress: [NetworkPolicyEgressRule(to: members, ports: [tcp(NestboxPort.etcdClients), tcp(NestboxPort.etcdPeers)])]))
    }

    private static func etcdSnapshot(_ settings: ClusterSettings) -> NetworkPolicy {
        NetworkPolicy(
            metadata: settings.metadata(Component.etcdSnapshot.rawValue),
            spec: NetworkPolicySpec(
                podSelector: settings.selector(.etcdSnapshot), policyTypes: ["Ingress", "Egress"],
                egress: [
                    NetworkPolicyEgressRule(
                        to: [NetworkPolicyPeer(podSelector: settings.selector(.etcd))], ports: [tcp(NestboxPort.etcdClients)])
                ]))
    }

    private static func tcp(_ port: Int) -> NetworkPolicyPort { NetworkPolicyPort(protocol: "TCP", port: .int(port)) }
}
