import KubernetesVersions

/// The host's programs and their arguments.
struct HostComponents: Sendable {
    var configuration: HostConfiguration
    var etcd: String
    var containerd: String
    /// kube-apiserver and so on, by name.
    var kubernetes: @Sendable (String) -> String

    static let apiPort = 6443
    static let etcdPort = 2379
    static let nodePorts = 30000...32767

    private var version: KubernetesVersion { configuration.version }
    private var certificates: HostCertificates { configuration.certificates }
    /// Where plugins of a kind that nobody has are looked for: the default would be made in the computer's /usr.
    private static let volumePlugins = "/run/volume-plugins"

    var all: [ComponentSpec] {
        [
            ComponentSpec(
                name: "etcd", program: etcd,
                arguments: [
                    "--data-dir=/var/lib/etcd", "--listen-client-urls=http://127.0.0.1:\(Self.etcdPort)",
                    "--advertise-client-urls=http://127.0.0.1:\(Self.etcdPort)", "--listen-peer-urls=http://127.0.0.1:2380",
                    "--initial-advertise-peer-urls=http://127.0.0.1:2380", "--initial-cluster=default=http://127.0.0.1:2380",
                ], stage: 0),
            ComponentSpec(name: "containerd", program: containerd, arguments: ["--config", configuration.containerdFile], stage: 0),
            ComponentSpec(
                name: "kube-apiserver", program: kubernetes("kube-apiserver"), arguments: apiServer, gates: [.port(Self.etcdPort)], stage: 1
            ),
            ComponentSpec(
                name: "kube-controller-manager", program: kubernetes("kube-controller-manager"), arguments: controllerManager,
                gates: [.apiReady], stage: 2),
            ComponentSpec(
                name: "kube-scheduler", program: kubernetes("kube-scheduler"), arguments: scheduler, gates: [.apiReady], stage: 2),
            ComponentSpec(
                name: "kubelet", program: kubernetes("kubelet"), arguments: kubelet,
                gates: [.socket(HostConfiguration.containerdSocket), .port(Self.apiPort)], stage: 2),
            ComponentSpec(
                name: "kube-proxy", program: kubernetes("kube-proxy"), arguments: ["--config=\(configuration.proxyFile)"],
                gates: [.apiReady], stage: 2),
        ]
    }

    /// Those that every node runs.
    var ofEveryNode: [ComponentSpec] { all.filter { ["containerd", "kubelet", "kube-proxy"].contains($0.name) } }

    private var apiServer: [String] {
        [
            "--etcd-servers=http://127.0.0.1:\(Self.etcdPort)",
            "--advertise-address=\(configuration.addresses.host)",
            "--secure-port=\(Self.apiPort)",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
            "--client-ca-file=\(certificates.authorityCertificate)",
            "--tls-cert-file=\(certificates.certificate(.apiServer))",
            "--tls-private-key-file=\(certificates.key(.apiServer))",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-account-key-file=\(certificates.serviceAccountPublicKey)",
            "--service-account-signing-key-file=\(certificates.serviceAccountKey)",
            "--service-cluster-ip-range=\(configuration.addresses.services)",
            "--service-node-port-range=\(Self.nodePorts.lowerBound)-\(Self.nodePorts.upperBound)",
            "--kubelet-client-certificate=\(certificates.certificate(.kubeletClient))",
            "--kubelet-client-key=\(certificates.key(.kubeletClient))",
            "--kubelet-certificate-authority=\(certificates.authorityCertificate)",
            "--kubelet-preferred-address-types=InternalIP",
        ]
    }

    private var controllerManager: [String] {
        [
            "--kubeconfig=\(configuration.kubeconfigFile(.controllerManager))",
            "--use-service-account-credentials=true",
            "--service-account-private-key-file=\(certificates.serviceAccountKey)",
            "--root-ca-file=\(certificates.authorityCertificate)",
            "--cluster-signing-cert-file=\(certificates.authorityCertificate)",
            "--cluster-signing-key-file=\(certificates.authorityKey)",
            "--leader-elect=false",
            "--flex-volume-plugin-dir=\(Self.volumePlugins)",
        ] + insecurePort
    }

    private var scheduler: [String] {
        ["--kubeconfig=\(configuration.kubeconfigFile(.scheduler))", "--leader-elect=false"] + insecurePort
    }

    private var insecurePort: [String] { version.hasInsecurePortFlag ? ["--port=0"] : [] }

    private var kubelet: [String] {
        var arguments = [
            "--config=\(configuration.kubeletFile)",
            "--kubeconfig=\(configuration.kubeconfigFile(.kubelet))",
            "--hostname-override=\(configuration.node.name)",
            "--node-ip=\(configuration.node.address)",
            "--node-labels=topology.kubernetes.io/zone=\(configuration.node.zone)",
            "--root-dir=/var/lib/kubelet",
            "--cert-dir=/var/lib/kubelet/pki",
            "--volume-plugin-dir=\(Self.volumePlugins)",
        ]
        if version.needsContainerRuntimeFlag { arguments.append("--container-runtime=remote") }
        if !version.hasContainerRuntimeEndpointInConfiguration {
            arguments.append("--container-runtime-endpoint=unix://\(HostConfiguration.containerdSocket)")
        }
        return arguments
    }
}
