import KubernetesAPI
import NestboxAPI

/// `nestbox-node` as a DaemonSet of the tenant, for nodes that joined by kubeadm; on machines that Nestbox joined it is a service.
///
/// It runs where the operator has put its label, once the node is recorded and its files are in the ConfigMap. Its credential is the
/// kubelet's certificate on the machine, as there.
public enum NodeAgentObjects {
    public static let name = "nestbox-node"
    public static let namespace = "kube-system"
    /// On Nodes that it is to run on.
    public static let nodeLabel = (key: "nestbox.dev/agent", value: "daemonset")
    /// Where its ConfigMap and the kubelet's certificates are, in its container.
    public static let folder = "/etc/nestbox"
    public static let certificates = "/var/lib/kubelet/pki"
    private static let networks = "/etc/cni/net.d"
    private static let state = "/var/lib/nestbox-node"
    private static let selector = ["k8s-app": name]

    static func render(_ settings: ClusterSettings) -> [any KubernetesObject] {
        settings.allowsKubeadmJoin ? [daemonSet(settings)] : []
    }

    static func daemonSet(_ settings: ClusterSettings) -> DaemonSet {
        let environment = [
            EnvVar(name: "NODE_NAME", valueFrom: EnvVarSource(fieldRef: ObjectFieldSelector(fieldPath: "spec.nodeName")))
        ]
        func container(_ name: String, _ command: [String], _ mounts: [VolumeMount]) -> Container {
            Container(
                name: name, image: "nestbox.dev/nestbox-node:\(settings.release)", imagePullPolicy: "IfNotPresent",
                command: ["nestbox-node"] + command, env: environment,
                volumeMounts: [VolumeMount(name: "config", mountPath: folder, readOnly: true)] + mounts,
                // It holds an address and routes, and writes a kernel setting.
                securityContext: SecurityContext(privileged: true, runAsUser: 0))
        }
        let network = container(
            "network", ["install", "\(folder)/$(NODE_NAME).conflist", "\(networks)/10-nestbox.conflist"],
            [VolumeMount(name: "networks", mountPath: networks)])
        let agent = container(
            name, ["run", "--config", "\(folder)/$(NODE_NAME).conf"],
            [
                VolumeMount(name: "certificates", mountPath: certificates, readOnly: true), VolumeMount(name: "state", mountPath: state),
            ])
        func hostPath(_ name: String, _ path: String, _ type: String) -> Volume {
            Volume(name: name, hostPath: HostPathVolumeSource(path: path, type: type))
        }
        let hasNetwork = settings.spec.network?.cni != "none"
        let pod = PodSpec(
            containers: [agent], initContainers: hasNetwork ? [network] : nil,
            volumes: [
                Volume(name: "config", configMap: ConfigMapVolumeSource(name: name)),
                hostPath("certificates", certificates, "Directory"), hostPath("state", state, "DirectoryOrCreate"),
            ] + (hasNetwork ? [hostPath("networks", networks, "DirectoryOrCreate")] : []),
            nodeSelector: [nodeLabel.key: nodeLabel.value], tolerations: [Toleration(operator: "Exists")],
            priorityClassName: "system-node-critical", automountServiceAccountToken: false, hostNetwork: true)
        return DaemonSet(
            metadata: tenantMetadata(name, namespace: namespace, labels: selector),
            spec: DaemonSetSpec(
                selector: LabelSelector(matchLabels: selector),
                template: PodTemplateSpec(metadata: ObjectMeta(labels: selector), spec: pod),
                updateStrategy: UpdateStrategy(type: "RollingUpdate", rollingUpdate: RollingUpdate(maxUnavailable: 1))))
    }
}
