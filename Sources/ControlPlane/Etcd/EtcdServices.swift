import KubernetesAPI

/// One Service a member, with an address of its own: nothing on the host needs cluster DNS to find a member, and a member keeps
/// its address while its pod moves.
enum EtcdServices {
    static func render(_ settings: ClusterSettings) -> [Service] {
        settings.etcdNames.map { member in
            Service(
                metadata: settings.metadata(member),
                spec: ServiceSpec(
                    type: "ClusterIP", selector: ["statefulset.kubernetes.io/pod-name": member],
                    ports: [
                        ServicePort(
                            name: "clients", protocol: "TCP", port: NestboxPort.etcdClients, targetPort: .int(NestboxPort.etcdClients)),
                        ServicePort(name: "peers", protocol: "TCP", port: NestboxPort.etcdPeers, targetPort: .int(NestboxPort.etcdPeers)),
                    ],
                    // Members find each other before they are ready.
                    publishNotReadyAddresses: true))
        }
    }
}
