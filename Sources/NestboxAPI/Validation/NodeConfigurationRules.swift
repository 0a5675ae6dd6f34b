import KubernetesAPI

/// What a pool may say of its nodes: nothing that Nestbox relies on, nothing that cleaning could not put back.
extension FieldErrors {
    mutating func checkNodeConfiguration(_ configuration: NodeConfiguration?, at path: String) {
        guard let configuration else { return }
        checkKubelet(configuration.kubelet, at: "\(path).kubelet")
        checkRegistries(configuration.containerd?.registries, at: "\(path).containerd.registries")
        checkSysctls(configuration.sysctls, at: "\(path).sysctls")
        checkFiles(configuration.files, at: "\(path).files")
        checkCommands(configuration.preJoinCommands, at: "\(path).preJoinCommands")
        checkCommands(configuration.postJoinCommands, at: "\(path).postJoinCommands")
        // It is kept in the pool's history several times over, in one object.
        let size = configuration.size
        require(
            size <= Self.mostBytes, path, "\(size) bytes of text are more than the \(Self.mostBytes) that a pool's history has room for")
    }

    static let mostBytes = 65_536

    private mutating func checkKubelet(_ fields: [String: JSONValue]?, at path: String) {
        for (name, value) in (fields ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = "\(path).\(name)"
            require(name, is: .kubeletField, at: path)
            if let reason = ReservedKubeletField.reason(for: name) {
                add(path, "is not for a pool to set: \(reason)")
            } else if name == "featureGates", value["RotateKubeletServerCertificate"] != nil {
                add("\(path).RotateKubeletServerCertificate", "is not for a pool to set: the operator approves the kubelet's certificates")
            }
        }
    }

    private mutating func checkRegistries(_ registries: [ContainerRegistry]?, at path: String) {
        var seen: Set<String> = []
        for (index, registry) in (registries ?? []).enumerated() {
            let path = "\(path)[\(index)]"
            require(registry.host, is: .registryHost, at: "\(path).host")
            require(seen.insert(registry.host).inserted, "\(path).host", "\(registry.host) is there already")
            for (index, mirror) in (registry.mirrors ?? []).enumerated() { require(mirror, is: .mirror, at: "\(path).mirrors[\(index)]") }
            let says = registry.mirrors?.isEmpty == false || registry.certificateAuthority != nil || registry.insecure == true
            require(says, path, "says neither mirrors, nor certificateAuthority, nor insecure: leave it out")
            guard let authority = registry.certificateAuthority else { continue }
            require(
                authority.contains("-----BEGIN CERTIFICATE-----") && authority.contains("-----END CERTIFICATE-----"),
                "\(path).certificateAuthority", "is not a certificate in PEM (-----BEGIN CERTIFICATE-----)")
            require(!authority.contains("PRIVATE KEY"), "\(path).certificateAuthority", "holds a private key, which no node may have")
            require(
                registry.insecure != true, "\(path).insecure",
                "is true, and a certificateAuthority is given: any certificate is believed, or those of one authority")
        }
    }

    private mutating func checkSysctls(_ sysctls: [String: String]?, at path: String) {
        for (name, value) in (sysctls ?? [:]).sorted(by: { $0.key < $1.key }) {
            let path = "\(path)[\(name)]"
            require(name, is: .sysctl, at: path)
            if let reason = ReservedSysctl.reason(for: name) { add(path, "is not for a pool to set: \(reason)") }
            require(value, is: .sysctlValue, at: path)
        }
    }

    private mutating func checkFiles(_ files: [NodeFile]?, at path: String) {
        var seen: Set<String> = []
        for (index, file) in (files ?? []).enumerated() {
            let path = "\(path)[\(index)]"
            require(file.path, is: .filePath, at: "\(path).path")
            if let reason = ReservedPath.reason(for: file.path) { add("\(path).path", "\(quoted(file.path)) \(reason)") }
            require(seen.insert(file.path).inserted, "\(path).path", "\(file.path) is there already")
            require(file.mode, is: .fileMode, at: "\(path).mode")
            require(!file.content.unicodeScalars.contains("\0"), "\(path).content", "holds a zero byte: only text can be written")
        }
        let paths = seen.sorted()
        for (parent, child) in zip(paths, paths.dropFirst()) where child.hasPrefix(parent + "/") {
            add(path, "\(parent) cannot be a file, for \(child) lies in it")
        }
    }

    private mutating func checkCommands(_ commands: [String]?, at path: String) {
        require((commands ?? []).count <= 32, path, "are more than 32: put them into a file of files, and run that")
        for (index, command) in (commands ?? []).enumerated() {
            let path = "\(path)[\(index)]"
            require(command.contains { !$0.isWhitespace }, path, "is empty")
            require(!command.unicodeScalars.contains("\0"), path, "holds a zero byte")
        }
    }
}

extension NodeConfiguration {
    /// About as many bytes as it takes in an object.
    fileprivate var size: Int {
        let registries = containerd?.registries ?? []
        var texts = [JSONValue.object(kubelet ?? [:]).text] + (preJoinCommands ?? []) + (postJoinCommands ?? [])
        texts += (sysctls ?? [:]).flatMap { [$0.key, $0.value] }
        texts += (files ?? []).flatMap { [$0.path, $0.content] }
        texts += registries.flatMap { [$0.host, $0.certificateAuthority ?? ""] + ($0.mirrors ?? []) }
        return texts.reduce(0) { $0 + $1.utf8.count }
    }
}

/// Fields of KubeletConfiguration that stay Nestbox's, and why.
enum ReservedKubeletField {
    static func reason(for name: String) -> String? { reasons.first { $0.names.contains(name) }?.reason }

    private static let reasons: [(names: Set<String>, reason: String)] = [
        (["apiVersion", "kind"], "Nestbox writes the configuration in the form that the kubelet's version reads"),
        (["clusterDNS", "clusterDomain"], "the cluster's own DNS is at the address that its networks give it"),
        (
            ["authentication", "authorization"],
            "the API server is let in by the cluster's authority and its RBAC, and nobody else is"
        ),
        (
            ["serverTLSBootstrap", "rotateCertificates", "tlsCertFile", "tlsPrivateKeyFile"],
            "the kubelet's certificates come from the cluster's authority, approved by the operator"
        ),
        (
            ["address", "port", "readOnlyPort", "enableServer", "healthzBindAddress", "healthzPort"],
            "the tunnel and the upgrade's checks find the kubelet where it is by default"
        ),
        (
            ["staticPodPath", "staticPodURL", "staticPodURLHeader"],
            "static pods are no API's, so no drain moves them and no upgrade waits for them; use a DaemonSet"
        ),
        (
            ["cgroupDriver", "cgroupRoot", "kubeletCgroups", "systemCgroups", "failCgroupV1"],
            "it must agree with containerd's and with what cleaning looks for"
        ),
        (["containerRuntimeEndpoint", "imageServiceEndpoint"], "each node runs a containerd of Nestbox's"),
        (["registerNode", "providerID", "podCIDR", "enableControllerAttachDetach"], "the operator and the control plane rely on it"),
        (["registerWithTaints"], "taints are spec.taints, which are kept up without a rollout"),
        (["volumePluginDir", "podLogsDir"], "cleaning knows where the kubelet keeps its files"),
    ]
}

/// Kernel settings that stay Nestbox's, or that stay for ever.
enum ReservedSysctl {
    static func reason(for name: String) -> String? {
        if ours.contains(name) { return "pods' traffic and the way to the API server need it as it is" }
        if oneWay.contains(name) { return "the kernel does not let it be put back before a reboot, when the machine is cleaned" }
        if programs.contains(name) { return "the kernel runs what it names, past everything that cleaning looks at" }
        return nil
    }

    private static let ours: Set<String> = [
        "net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables",
        "net.ipv4.conf.all.route_localnet", "net.ipv4.conf.all.arp_ignore", "net.ipv4.conf.all.forwarding",
    ]
    private static let oneWay: Set<String> = [
        "kernel.modules_disabled", "kernel.kexec_load_disabled", "kernel.unprivileged_bpf_disabled", "kernel.yama.ptrace_scope",
    ]
    private static let programs: Set<String> = ["kernel.modprobe", "kernel.hotplug", "kernel.core_pattern", "kernel.poweroff_cmd"]
}

/// Where a pool's files may not lie.
enum ReservedPath {
    static func reason(for path: String) -> String? {
        if ours.contains(where: { path.isAtOrBelow($0) }) || path.hasPrefix("/etc/systemd/system/nestbox-") {
            return "is where Nestbox or the kubelet keep their own"
        }
        if programs.contains(where: { path.isAtOrBelow($0) }) {
            return "is where the machine's packages keep programs; /usr/local and /opt are free"
        }
        if access.contains(where: { path.isAtOrBelow($0) }) || path.split(separator: "/").contains(".ssh") {
            return "says who may get onto the machine, which is its owner's affair"
        }
        guard system.contains(where: { path.isAtOrBelow($0) }) else { return nil }
        return "belongs to the machine itself, which may not boot or answer without it"
    }

    private static let ours = [
        "/etc/nestbox", "/opt/nestbox", "/opt/cni", "/etc/cni", "/etc/kubernetes", "/var/lib/kubelet", "/var/lib/containerd",
        "/var/lib/cni", "/var/lib/nestbox-node", "/var/log/pods", "/var/log/containers", "/usr/libexec/kubernetes",
        "/etc/sysctl.d/99-nestbox.conf",
        "/etc/sysctl.d/99-nestbox-pool.conf", "/etc/modules-load.d/nestbox.conf", "/run", "/var/run",
    ]
    private static let programs = ["/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64", "/usr/libexec"]
    private static let access = [
        "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/ssh", "/etc/pam.d",
        "/etc/security",
    ]
    private static let system = [
        "/proc", "/sys", "/dev", "/boot", "/efi", "/etc/fstab", "/etc/machine-id", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf",
        "/etc/ld.so.preload", "/etc/nsswitch.conf", "/var/lib/dpkg", "/var/tmp/nestbox-check",
    ]
}

extension String {
    fileprivate func isAtOrBelow(_ folder: String) -> Bool { self == folder || hasPrefix(folder + "/") }
}
