import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Cluster DNS, where the spec wants it and an image can be had.
public enum CoreDNS {
    /// Of its Deployment.
    public static let name = "coredns"
    public static let namespace = "kube-system"
    private static let selector = ["k8s-app": "kube-dns"]

    static func isEnabled(_ input: ControlPlaneInput) -> Bool { wants(input.settings) && input.coreDNSImage != nil }

    private static func wants(_ settings: ClusterSettings) -> Bool { settings.spec.addons?.coreDNS?.enabled ?? true }

    static func access(_ settings: ClusterSettings) -> [any KubernetesObject] {
        guard wants(settings) else { return [] }
        return [
            Grants.clusterRole(
                "system:coredns",
                [
                    Grants.rule(["list", "watch"], ["endpoints", "services", "pods", "namespaces"]),
                    Grants.rule(["list", "watch"], ["endpointslices"], group: "discovery.k8s.io"),
                ]),
            Grants.clusterRoleBinding(
                "system:coredns", role: "system:coredns", to: [Grants.serviceAccount(name, namespace: namespace)]),
        ]
    }

    static func render(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        guard isEnabled(input), let image = input.coreDNSImage else { return [] }
        return workloads(input.settings, image: image)
    }

    static func workloads(_ settings: ClusterSettings, image: String) -> [any KubernetesObject] {
        [
            ServiceAccount(metadata: tenantMetadata(name, namespace: namespace)),
            ConfigMap(metadata: tenantMetadata(name, namespace: namespace), data: ["Corefile": Corefile.render(settings)]),
            service(settings), deployment(image: image),
        ]
    }

    private static func service(_ settings: ClusterSettings) -> Service {
        Service(
            metadata: tenantMetadata(
                "kube-dns", namespace: namespace,
                labels: selector.merging(["kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"]) { own, _ in own }),
            spec: ServiceSpec(
                selector: selector,
                ports: [
                    ServicePort(name: "dns", protocol: "UDP", port: 53, targetPort: 53),
                    ServicePort(name: "dns-tcp", protocol: "TCP", port: 53, targetPort: 53),
                    ServicePort(name: "metrics", protocol: "TCP", port: 9153, targetPort: 9153),
                ],
                clusterIP: "\(settings.dnsServiceAddress)"))
    }

    private static func deployment(image: String) -> Deployment {
        let container = Container(
            name: name, image: image, imagePullPolicy: "IfNotPresent", args: ["-conf", "/etc/coredns/Corefile"],
            ports: [
                ContainerPort(name: "dns", containerPort: 53, protocol: "UDP"),
                ContainerPort(name: "dns-tcp", containerPort: 53, protocol: "TCP"),
                ContainerPort(name: "metrics", containerPort: 9153, protocol: "TCP"),
            ],
            resources: ResourceRequirements(requests: ["cpu": "100m", "memory": "70Mi"], limits: ["memory": "170Mi"]),
            volumeMounts: [VolumeMount(name: "config-volume", mountPath: "/etc/coredns", readOnly: true)],
            livenessProbe: Probe(
                httpGet: HTTPGetAction(path: "/health", port: 8080, scheme: "HTTP"), initialDelaySeconds: 60, timeoutSeconds: 5,
                failureThreshold: 5),
            readinessProbe: Probe(httpGet: HTTPGetAction(path: "/ready", port: 8181, scheme: "HTTP")),
            securityContext: SecurityContext(
                allowPrivilegeEscalation: false, readOnlyRootFilesystem: true,
                capabilities: Capabilities(add: ["NET_BIND_SERVICE"], drop: ["ALL"])))
        let pod = PodSpec(
            containers: [container],
            volumes: [
                Volume(
                    name: "config-volume",
                    configMap: ConfigMapVolumeSource(name: name, items: [KeyToPath(key: "Corefile", path: "Corefile")]))
            ],
            nodeSelector: ["kubernetes.io/os": "linux"], tolerations: [Toleration(key: "CriticalAddonsOnly", operator: "Exists")],
            priorityClassName: "system-cluster-critical", serviceAccountName: name, dnsPolicy: "Default")
        return Deployment(
            metadata: tenantMetadata(name, namespace: namespace, labels: selector),
            spec: DeploymentSpec(
                replicas: 2, selector: LabelSelector(matchLabels: selector),
                template: PodTemplateSpec(metadata: ObjectMeta(labels: selector), spec: pod),
                strategy: DeploymentStrategy(type: "RollingUpdate", rollingUpdate: RollingUpdate(maxUnavailable: 1))))
    }
}
