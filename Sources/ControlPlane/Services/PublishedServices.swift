import KubernetesAPI
import NestboxAPI

/// The two Services under which a tenant's machines and users reach its control plane.
enum PublishedServices {
    /// `known` is where they were published before: kubeconfigs and machines name those ports, so that a Service that somebody
    /// deleted comes back under the same one.
    static func render(_ settings: ClusterSettings, known: PublishedEndpoints, traffic: TrafficPolicy) -> [Service] {
        [
            service(
                settings, NestboxName.apiService, port: NestboxPort.api, known: known.api, publishesNotReady: false, traffic: traffic),
            // A tunnel must be reachable before the API server is ready: webhooks of the tenant may gate that readiness.
            service(
                settings, NestboxName.tunnelService, port: NestboxPort.tunnelAgents, known: known.tunnel, publishesNotReady: true,
                traffic: traffic),
        ]
    }

    private static func service(
        _ settings: ClusterSettings, _ name: String, port: Int, known: [String], publishesNotReady: Bool, traffic: TrafficPolicy
    ) -> Service {
        let type = settings.spec.publish?.type ?? "NodePort"
        // A load balancer's Service has one, too, by which those who came that way before still come.
        let nodePort = known.compactMap { $0.split(separator: ":").last.flatMap { Int($0) } }.first { $0 != port }
        return Service(
            metadata: settings.metadata(name),
            spec: ServiceSpec(
                type: type, selector: [NestboxLabel.component: Component.controlPlane.rawValue],
                ports: [ServicePort(name: name, protocol: "TCP", port: port, targetPort: .int(port), nodePort: nodePort)],
                // Kubernetes' own default is not written.
                externalTrafficPolicy: traffic == .cluster ? nil : traffic.rawValue,
                publishNotReadyAddresses: publishesNotReady ? true : nil))
    }
}
