import KubernetesAPI
import NestboxAPI

/// The two Services under which a tenant's machines and users reach its control plane.
enum PublishedServices {
    static func render(_ settings: ClusterSettings) -> [Service] {
        [
            service(settings, NestboxName.apiService, port: NestboxPort.api, publishesNotReady: false),
            // A tunnel must be reachable before the API server is ready: webhooks of the tenant may gate that readiness.
            service(settings, NestboxName.tunnelService, port: NestboxPort.tunnelAgents, publishesNotReady: true),
        ]
    }

    private static func service(_ settings: ClusterSettings, _ name: String, port: Int, publishesNotReady: Bool) -> Service {
        Service(
            metadata: settings.metadata(name),
            spec: ServiceSpec(
                type: settings.spec.publish?.type ?? "NodePort", selector: [NestboxLabel.component: Component.controlPlane.rawValue],
                ports: [ServicePort(name: name, protocol: "TCP", port: port, targetPort: .int(port))],
                publishNotReadyAddresses: publishesNotReady ? true : nil))
    }
}
