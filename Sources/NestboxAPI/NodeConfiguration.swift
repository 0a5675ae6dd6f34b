import KubernetesAPI

/// How the nodes of a pool differ from what Nestbox makes by itself.
public struct NodeConfiguration: Codable, Sendable, Equatable {
    /// Fields of KubeletConfiguration, beside Nestbox's own.
    public var kubelet: [String: JSONValue]?
    public var containerd: ContainerdConfiguration?
    /// Kernel settings by their names with dots, now and after a reboot.
    public var sysctls: [String: String]?
    public var files: [NodeFile]?
    /// Shell commands, run as root before anything of Nestbox's runs there. Each may run more than once.
    public var preJoinCommands: [String]?
    /// The same, run once the kubelet is up; its Node may not be Ready yet.
    public var postJoinCommands: [String]?

    public init(
        kubelet: [String: JSONValue]? = nil, containerd: ContainerdConfiguration? = nil, sysctls: [String: String]? = nil,
        files: [NodeFile]? = nil, preJoinCommands: [String]? = nil, postJoinCommands: [String]? = nil
    ) {
        self.kubelet = kubelet
        self.containerd = containerd
        self.sysctls = sysctls
        self.files = files
        self.preJoinCommands = preJoinCommands
        self.postJoinCommands = postJoinCommands
    }

    /// Without parts that say nothing: `files: []` is as good as no files. Nil when nothing is left.
    public var normalized: NodeConfiguration? {
        var configuration = self
        if kubelet?.isEmpty == true { configuration.kubelet = nil }
        if containerd?.registries?.isEmpty != false { configuration.containerd = nil }
        if sysctls?.isEmpty == true { configuration.sysctls = nil }
        if files?.isEmpty == true { configuration.files = nil }
        if preJoinCommands?.isEmpty == true { configuration.preJoinCommands = nil }
        if postJoinCommands?.isEmpty == true { configuration.postJoinCommands = nil }
        return configuration == NodeConfiguration() ? nil : configuration
    }
}

public struct ContainerdConfiguration: Codable, Sendable, Equatable {
    public var registries: [ContainerRegistry]?

    public init(registries: [ContainerRegistry]? = nil) {
        self.registries = registries
    }
}

/// Where and how the images of one registry are fetched.
public struct ContainerRegistry: Codable, Sendable, Equatable {
    /// As images are named: `docker.io`, `registry.example.com:5000`.
    public var host: String
    /// Asked first, in this order: `https://mirror.example.com`, or only the host. The registry itself is asked last.
    public var mirrors: [String]?
    /// Whose certificates the mirrors and the registry have, PEM; the machine's own authorities unless set.
    public var certificateAuthority: String?
    /// Believes any certificate.
    public var insecure: Bool?

    public init(host: String, mirrors: [String]? = nil, certificateAuthority: String? = nil, insecure: Bool? = nil) {
        self.host = host
        self.mirrors = mirrors
        self.certificateAuthority = certificateAuthority
        self.insecure = insecure
    }
}

public struct NodeFile: Codable, Sendable, Equatable {
    public var path: String
    /// Octal digits; `0644` unless set.
    public var mode: String?
    public var content: String

    public init(path: String, mode: String? = nil, content: String) {
        self.path = path
        self.mode = mode
        self.content = content
    }

    public var permissions: Int { mode.flatMap { Int($0, radix: 8) } ?? 0o644 }
}
