import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// kube-proxy, as a DaemonSet of the tenant.
enum KubeProxy {
    private static let name = "kube-proxy"
    private static let namespace = "kube-system"
    private static let selector = ["k8s-app": "kube-proxy"]

    static func isEnabled(_ settings: ClusterSettings) -> Bool { settings.spec.addons?.kubeProxy?.enabled ?? true }

    static func access(_ settings: ClusterSettings) -> [any KubernetesObject] {
        guard isEnabled(settings) else { return [] }
        return [
            Grants.clusterRoleBinding(
                "kubeadm:node-proxier", role: "system:node-proxier", to: [Grants.serviceAccount(name, namespace: namespace)])
        ]
    }

    static func render(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        isEnabled(input.settings) ? workloads(input) : []
    }

    static func workloads(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        let files = configurationFiles(input)
        return [
            ServiceAccount(metadata: tenantMetadata(name, namespace: namespace)),
            ConfigMap(metadata: tenantMetadata(name, namespace: namespace, labels: ["app": name]), data: files),
            daemonSet(input.settings, configurationHash: shortHash(files.sorted { $0.key < $1.key }.map(\.value))),
        ]
    }

    private static func configurationFiles(_ input: ControlPlaneInput) -> [String: String] {
        let settings = input.settings
        let configuration: JSONValue = [
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
            "clientConnection": ["kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf"],
            "clusterCIDR": .string("\(settings.podNetwork)"), "mode": "iptables", "metricsBindAddress": "127.0.0.1:10249",
            // The machine's own limit stands: a machine whose network is a namespace could not write it, and kube-proxy would not start.
            "conntrack": ["maxPerCore": 0],
        ]
        let kubeconfig = """
            apiVersion: v1
            kind: Config
            clusters:
            - cluster:
                certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
                server: https://\(settings.nodeLocalAPIEndpoint)
              name: default
            contexts:
            - context:
                cluster: default
                namespace: default
                user: default
              name: default
            current-context: default
            users:
            - name: default
              user:
                tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token

            """
        return ["config.conf": configuration.prettyText, "kubeconfig.conf": kubeconfig]
    }

    static func image(_ settings: ClusterSettings) -> String {
        settings.spec.addons?.kubeProxy?.image ?? "\(settings.imageRegistry)/\(name):\(settings.version)"
    }

    private static func daemonSet(_ settings: ClusterSettings, configurationHash: String) -> DaemonSet {
        let container = Container(
            name: name, image: image(settings), imagePullPolicy: "IfNotPresent",
            command: [name, "--config=/var/lib/kube-proxy/config.conf", "--hostname-override=$(NODE_NAME)"],
            env: [EnvVar(name: "NODE_NAME", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "spec.nodeName")))],
            volumeMounts: [
                VolumeMount(name: name, mountPath: "/var/lib/kube-proxy"),
                VolumeMount(name: "xtables-lock", mountPath: "/run/xtables.lock"),
                VolumeMount(name: "lib-modules", mountPath: "/lib/modules", readOnly: true),
            ],
            securityContext: SecurityContext(privileged: true))
        let pod = PodSpec(
            containers: [container],
            volumes: [
                Volume(name: name, configMap: ConfigMapVolumeSource(name: name)),
                Volume(name: "xtables-lock", hostPath: HostPathVolumeSource(path: "/run/xtables.lock", type: "FileOrCreate")),
                Volume(name: "lib-modules", hostPath: HostPathVolumeSource(path: "/lib/modules", type: "")),
            ],
            nodeSelector: ["kubernetes.io/os": "linux"], tolerations: [Toleration(operator: "Exists")],
            priorityClassName: "system-node-critical", serviceAccountName: name, hostNetwork: true)
        return DaemonSet(
            metadata: tenantMetadata(name, namespace: namespace, labels: selector),
            spec: DaemonSetSpec(
                selector: LabelSelector(matchLabels: selector),
                template: PodTemplateSpec(
                    metadata: ObjectMeta(labels: selector, annotations: [NestboxLabel.configurationHash: configurationHash]), spec: pod),
                updateStrategy: UpdateStrategy(type: "RollingUpdate", rollingUpdate: RollingUpdate(maxUnavailable: "10%"))))
    }
}
