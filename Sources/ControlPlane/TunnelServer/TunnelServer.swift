import KubernetesAPI

/// The tunnel server beside each kube-apiserver.
enum TunnelServer {
    static let name = "tunnel"

    static func image(release: String) -> String { "nestbox.dev/nestbox-tunnel:\(release)" }

    static func container(_ settings: ClusterSettings) -> Container {
        let keys = KeySecret.mountPath(.tunnel)
        let arguments = [
            "agent-port": "\(NestboxPort.tunnelAgents)",
            "cluster-ca-cert": "\(keys)/ca.crt",
            "cluster-cert": "\(keys)/tls.crt",
            "cluster-key": "\(keys)/tls.key",
            // Together less than the pod has to end.
            "graceful-shutdown-timeout": "20s",
            "health-port": "\(NestboxPort.tunnelHealth)",
            "kubeconfig": "\(keys)/kubeconfig",
            "peers-port": "\(NestboxPort.tunnelPeers)",
            // Longer than kube-apiserver takes new requests: what they dial still goes through here.
            "shutdown-delay": "6s",
            "uds-name": APIServer.tunnelSocket,
        ]
        var container = PodShape.container(
            settings, name: name, image: image(release: settings.release),
            command: ["nestbox-tunnel", "server"] + Arguments.render(arguments), requests: ["cpu": "5m", "memory": "32Mi"])
        container.env = [
            EnvVar(name: "POD_NAME", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "metadata.name"))),
            EnvVar(name: "POD_IP", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "status.podIP"))),
        ]
        container.ports = [ContainerPort(name: "tunnel", containerPort: NestboxPort.tunnelAgents, protocol: "TCP")]
        container.volumeMounts = [PodShape.secretMount(.tunnel), VolumeMount(name: "run", mountPath: "/run/nestbox")]
        // Alive, whether agents are there or not: a tenant without nodes is whole.
        container.livenessProbe = Probe(
            httpGet: HTTPGetAction(path: "/healthz", port: .int(NestboxPort.tunnelHealth), scheme: "HTTP"), initialDelaySeconds: 10,
            timeoutSeconds: 5, periodSeconds: 10, failureThreshold: 6)
        return container
    }
}
