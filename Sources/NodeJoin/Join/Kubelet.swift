import Crypto
import HexDigest
import KubernetesAPI
import KubernetesVersions
import SSHClient

/// The kubelet, its configuration and its first credential.
enum Kubelet {
    static func arguments(_ parameters: JoinParameters) -> [String] {
        var arguments = [
            "--config=\(NodePaths.configuration)/kubelet.yaml",
            "--bootstrap-kubeconfig=\(NodePaths.configuration)/bootstrap.kubeconfig",
            "--kubeconfig=\(NodePaths.kubeletState)/kubeconfig",
            "--cert-dir=\(NodePaths.kubeletState)/pki",
            "--hostname-override=\(parameters.nodeName)",
            "--node-ip=\(parameters.nodeAddress)",
        ]
        let version = parameters.version
        if !version.hasContainerRuntimeEndpointInConfiguration {
            arguments.append("--container-runtime-endpoint=unix://\(NodePaths.containerdSocket)")
        }
        if version.needsContainerRuntimeFlag { arguments.append("--container-runtime=remote") }
        if version.kubeletSparesPauseImage {
            arguments.append("--pod-infra-container-image=\(parameters.artifacts.pauseImage.reference)")
        }
        if !parameters.nodeLabels.isEmpty {
            let labels = parameters.nodeLabels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
            arguments.append("--node-labels=\(labels.joined(separator: ","))")
        }
        if !parameters.taints.isEmpty, !version.hasRegisterWithTaintsInConfiguration {
            let taints = parameters.taints.map { "\($0.key)=\($0.value ?? ""):\($0.effect)" }
            arguments.append("--register-with-taints=\(taints.joined(separator: ","))")
        }
        return arguments
    }

    private static func unit(_ parameters: JoinParameters) -> SystemdUnit {
        let command = ["\(NodePaths.programs)/kubelet"] + arguments(parameters).map(SystemdUnit.word)
        return SystemdUnit(
            "nestbox-kubelet.service",
            """
            [Unit]
            Description=kubelet of Nestbox
            After=nestbox-containerd.service nestbox-node.service
            Wants=nestbox-containerd.service nestbox-node.service
            StartLimitIntervalSec=0

            [Service]
            Environment=PATH=\(NodePaths.searchPath)
            ExecStart=\(command.joined(separator: " \\\n    "))
            KillMode=process
            Restart=always
            RestartSec=2

            [Install]
            WantedBy=multi-user.target
            """)
    }

    /// What only the machine knows goes in there: both ends of the cgroup driver must agree with each other.
    private static func configure(_ configuration: String) -> Script {
        let template = TextFile("\(NodePaths.configuration)/kubelet.yaml", configuration)
        var fill = ""
        if !configuration.contains("\"cgroupDriver\"") {
            fill += """
                driver=cgroupfs
                [ ! -f /sys/fs/cgroup/cgroup.controllers ] || driver=systemd
                sed -i "1s/{/{\\"cgroupDriver\\":\\"$driver\\",/" \(template.path)

                """
        }
        if !configuration.contains("\"resolvConf\"") {
            // systemd-resolved's stub on loopback is out of reach for pods.
            fill += """
                resolver=
                [ ! -f /etc/resolv.conf ] || resolver=/etc/resolv.conf
                [ ! -f /run/systemd/resolve/resolv.conf ] || resolver=/run/systemd/resolve/resolv.conf
                sed -i "1s|{|{\\"resolvConf\\":\\"$resolver\\",|" \(template.path)

                """
        }
        return Script("\(template.put)\n\(fill)")
    }

    static func component(_ parameters: JoinParameters) -> NodeComponent {
        let unit = unit(parameters)
        let credential = TextFile("\(NodePaths.configuration)/bootstrap.kubeconfig", mode: 0o600, parameters.bootstrapKubeconfig)
        // Who is a node already has a credential of its own.
        let files = parameters.bootstrapKubeconfig.isEmpty ? [unit.file] : [credential, unit.file]
        return NodeComponent(
            unit: unit, configure: configure(parameters.kubeletConfiguration) + files.putAll,
            // Without the token: a fresh one is no reason to restart a kubelet that has its certificate.
            fingerprint: SHA256.hexDigest(
                of: [unit.file.content, parameters.kubeletConfiguration, parameters.artifacts.kubelet.sha256].joined(separator: "\n")))
    }
}
