import KubernetesVersions

/// The configuration files of the programs of one of the host's nodes: pure text.
struct HostConfiguration: Sendable {
    var addresses: AddressPlan
    var version: KubernetesVersion
    var node: HostNode
    var paths: LabPaths
    var certificates: HostCertificates
    var cniPlugins: String
    var pauseImage: String

    static let containerdSocket = "/run/containerd/containerd.sock"

    /// Where this node's files are.
    var folder: String { node.isEmbedded ? paths.configuration : paths.configuration(of: node) }
    var containerdFile: String { "\(folder)/containerd.toml" }
    var networkFolder: String { "\(folder)/cni" }
    var kubeletFile: String { "\(folder)/kubelet.yaml" }
    var proxyFile: String { "\(folder)/kube-proxy.yaml" }
    var resolverFile: String { "\(folder)/resolv.conf" }
    func kubeconfigFile(_ user: HostCertificates.Name) -> String { "\(folder)/\(user.rawValue).kubeconfig" }

    /// Every file by its path, but for the kubeconfigs, which hold keys.
    var files: [String: String] {
        [
            containerdFile: containerd, "\(networkFolder)/10-lab.conflist": network, kubeletFile: kubelet, proxyFile: proxy,
            // Nothing here resolves names: an empty list fails at once, where the computer's own would time out.
            resolverFile: "",
        ]
    }

    /// oom_score_adj: not every root may lower it. AppArmor: a profile would be loaded into the computer's kernel.
    var containerd: String {
        """
        version = 2
        root = "/var/lib/containerd"
        state = "/run/containerd"

        [grpc]
          address = "\(Self.containerdSocket)"

        [plugins."io.containerd.internal.v1.opt"]
          path = "/var/lib/containerd/opt"

        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "\(pauseImage)"
          restrict_oom_score_adj = true
          disable_apparmor = true

          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "\(cniPlugins)"
            conf_dir = "\(networkFolder)"

        """
    }

    /// Plugin ptp: a routed link a pod. A bridge would need br_netfilter for Services between its own pods, which is a
    /// module of the computer's kernel.
    var network: String {
        """
        {
          "cniVersion": "0.4.0",
          "name": "lab",
          "plugins": [
            {
              "type": "ptp",
              "ipMasq": false,
              "ipam": {
                "type": "host-local",
                "dataDir": "/run/cni",
                "ranges": [[{"subnet": "\(node.pods)"}]],
                "routes": [{"dst": "0.0.0.0/0"}]
              }
            },
            {"type": "portmap", "capabilities": {"portMappings": true}}
          ]
        }

        """
    }

    /// The disk is the computer's own and may well be nearly full: images that cannot be pulled again are not collected.
    var kubelet: String {
        var lines = """
            apiVersion: kubelet.config.k8s.io/v1beta1
            kind: KubeletConfiguration
            authentication:
              anonymous:
                enabled: false
              webhook:
                enabled: true
              x509:
                clientCAFile: \(certificates.authorityCertificate)
            authorization:
              mode: Webhook
            tlsCertFile: \(certificates.certificate(.kubelet))
            tlsPrivateKeyFile: \(certificates.key(.kubelet))
            cgroupDriver: cgroupfs
            failSwapOn: false
            resolvConf: \(resolverFile)
            nodeStatusUpdateFrequency: 2s
            nodeStatusReportFrequency: 5m0s
            imageGCHighThresholdPercent: 100
            imageGCLowThresholdPercent: 99
            evictionHard:
              memory.available: 50Mi
              nodefs.available: 1%
              nodefs.inodesFree: 1%

            """
        if version.hasContainerRuntimeEndpointInConfiguration {
            lines += "containerRuntimeEndpoint: unix://\(Self.containerdSocket)\n"
        }
        if version.kubeletRefusesCgroupV1 { lines += "failCgroupV1: false\n" }
        if let most = node.mostPods { lines += "maxPods: \(most)\n" }
        return lines
    }

    /// conntrack's limits are the computer's.
    var proxy: String {
        """
        apiVersion: kubeproxy.config.k8s.io/v1alpha1
        kind: KubeProxyConfiguration
        mode: iptables
        clusterCIDR: \(addresses.pods)
        hostnameOverride: \(node.name)
        clientConnection:
          kubeconfig: \(kubeconfigFile(.proxy))
        conntrack:
          maxPerCore: 0
          tcpEstablishedTimeout: 0s
          tcpCloseWaitTimeout: 0s

        """
    }
}
