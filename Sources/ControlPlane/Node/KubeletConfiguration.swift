import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// What a machine is like, as far as its kubelet's configuration depends on it.
public struct NodeEnvironment: Sendable, Equatable {
    public enum CgroupDriver: String, Sendable, CaseIterable {
        case systemd
        case cgroupfs
    }

    /// Nil when it is decided on the machine, where containerd's is.
    public var cgroupDriver: CgroupDriver?
    /// 1 or 2.
    public var cgroupVersion: Int
    /// The resolver configuration that pods inherit; the machine's /etc/resolv.conf unless set. Where systemd-resolved runs, that one
    /// names a loopback address, and `/run/systemd/resolve/resolv.conf` is wanted.
    public var resolverConfiguration: String?
    /// Whether swap is on, and tolerated.
    public var hasSwap: Bool

    public init(
        cgroupDriver: CgroupDriver? = .systemd, cgroupVersion: Int = 2, resolverConfiguration: String? = nil, hasSwap: Bool = false
    ) {
        self.cgroupDriver = cgroupDriver
        self.cgroupVersion = cgroupVersion
        self.resolverConfiguration = resolverConfiguration
        self.hasSwap = hasSwap
    }
}

/// KubeletConfiguration (`kubelet.config.k8s.io/v1beta1`), as JSON, which every kubelet reads.
public enum KubeletConfiguration {
    public static let certificateAuthorityFile = "/etc/nestbox/ca.crt"
    public static let containerRuntimeEndpoint = "unix:///run/nestbox/containerd/containerd.sock"

    /// The file `/etc/nestbox/kubelet.yaml` of one machine.
    ///
    /// - Parameters:
    ///   - version: the kubelet's, which may be older than the cluster's.
    ///   - further: a pool's own fields; where Nestbox has the same ones, Nestbox's stay.
    public static func render(
        for settings: ClusterSettings, version: KubernetesVersion, environment: NodeEnvironment, taints: [Taint] = [],
        further: [String: JSONValue] = [:]
    ) -> String {
        var configuration = shared(
            settings, certificateAuthorityFile: certificateAuthorityFile, cgroupDriver: environment.cgroupDriver?.rawValue)
        if version.hasContainerRuntimeEndpointInConfiguration {
            configuration["containerRuntimeEndpoint"] = .string(containerRuntimeEndpoint)
        }
        if version.kubeletRefusesCgroupV1, environment.cgroupVersion == 1 {
            configuration["failCgroupV1"] = false
        }
        if let resolver = environment.resolverConfiguration {
            configuration["resolvConf"] = .string(resolver)
        }
        if environment.hasSwap {
            configuration["failSwapOn"] = false
        }
        if !taints.isEmpty, version.hasRegisterWithTaintsInConfiguration {
            configuration["registerWithTaints"] = .array(
                taints.map { taint in
                    var value: JSONValue = ["key": .string(taint.key), "effect": .string(taint.effect)]
                    value["value"] = taint.value.map { .string($0) }
                    return value
                })
        }
        for (name, value) in further where configuration[name] == nil { configuration[name] = value }
        return configuration.prettyText
    }

    /// The flags that this version takes no other way. `--config`, `--kubeconfig`, `--bootstrap-kubeconfig`, `--hostname-override` and
    /// `--node-ip` are the joiner's.
    public static func flags(version: KubernetesVersion, labels: [String: String] = [:], taints: [Taint] = []) -> [String] {
        var flags: [String] = []
        if version.needsContainerRuntimeFlag { flags.append("--container-runtime=remote") }
        if !version.hasContainerRuntimeEndpointInConfiguration {
            flags.append("--container-runtime-endpoint=\(containerRuntimeEndpoint)")
        }
        if !labels.isEmpty {
            flags.append("--node-labels=" + labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ","))
        }
        if !taints.isEmpty, !version.hasRegisterWithTaintsInConfiguration {
            flags.append("--register-with-taints=" + taints.map { "\($0.key)=\($0.value ?? ""):\($0.effect)" }.joined(separator: ","))
        }
        return flags
    }

    /// What all kubelets of a cluster have in common.
    static func shared(_ settings: ClusterSettings, certificateAuthorityFile: String, cgroupDriver: String?) -> JSONValue {
        var configuration: JSONValue = [
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": [
                "anonymous": ["enabled": false], "webhook": ["enabled": true, "cacheTTL": "2m0s"],
                "x509": ["clientCAFile": .string(certificateAuthorityFile)],
            ],
            "authorization": ["mode": "Webhook"],
            "clusterDNS": [.string("\(settings.dnsServiceAddress)")],
            "clusterDomain": .string(settings.dnsDomain),
            "healthzBindAddress": "127.0.0.1", "healthzPort": 10248,
            "rotateCertificates": true,
            // Its serving certificate comes from the cluster's authority, approved by the operator, and kube-apiserver verifies it.
            "serverTLSBootstrap": true,
        ]
        configuration["cgroupDriver"] = cgroupDriver.map { .string($0) }
        return configuration
    }
}
