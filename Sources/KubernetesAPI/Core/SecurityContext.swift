public struct SecurityContext: Codable, Sendable, Equatable {
    public var privileged: Bool?
    public var allowPrivilegeEscalation: Bool?
    public var readOnlyRootFilesystem: Bool?
    public var runAsNonRoot: Bool?
    public var runAsUser: Int?
    public var runAsGroup: Int?
    public var procMount: String?
    public var capabilities: Capabilities?
    public var seccompProfile: SeccompProfile?
    public var seLinuxOptions: SELinuxOptions?

    public init(
        privileged: Bool? = nil, allowPrivilegeEscalation: Bool? = nil, readOnlyRootFilesystem: Bool? = nil,
        runAsNonRoot: Bool? = nil, runAsUser: Int? = nil, runAsGroup: Int? = nil, procMount: String? = nil,
        capabilities: Capabilities? = nil, seccompProfile: SeccompProfile? = nil, seLinuxOptions: SELinuxOptions? = nil
    ) {
        self.privileged = privileged
        self.allowPrivilegeEscalation = allowPrivilegeEscalation
        self.readOnlyRootFilesystem = readOnlyRootFilesystem
        self.runAsNonRoot = runAsNonRoot
        self.runAsUser = runAsUser
        self.runAsGroup = runAsGroup
        self.procMount = procMount
        self.capabilities = capabilities
        self.seccompProfile = seccompProfile
        self.seLinuxOptions = seLinuxOptions
    }
}

public struct PodSecurityContext: Codable, Sendable, Equatable {
    public var runAsNonRoot: Bool?
    public var runAsUser: Int?
    public var runAsGroup: Int?
    public var fsGroup: Int?
    public var fsGroupChangePolicy: String?
    public var supplementalGroups: [Int]?
    public var seccompProfile: SeccompProfile?
    public var seLinuxOptions: SELinuxOptions?
    public var sysctls: [Sysctl]?

    public init(
        runAsNonRoot: Bool? = nil, runAsUser: Int? = nil, runAsGroup: Int? = nil, fsGroup: Int? = nil,
        fsGroupChangePolicy: String? = nil, supplementalGroups: [Int]? = nil, seccompProfile: SeccompProfile? = nil,
        seLinuxOptions: SELinuxOptions? = nil, sysctls: [Sysctl]? = nil
    ) {
        self.runAsNonRoot = runAsNonRoot
        self.runAsUser = runAsUser
        self.runAsGroup = runAsGroup
        self.fsGroup = fsGroup
        self.fsGroupChangePolicy = fsGroupChangePolicy
        self.supplementalGroups = supplementalGroups
        self.seccompProfile = seccompProfile
        self.seLinuxOptions = seLinuxOptions
        self.sysctls = sysctls
    }
}

public struct Capabilities: Codable, Sendable, Equatable {
    public var add: [String]?
    public var drop: [String]?

    public init(add: [String]? = nil, drop: [String]? = nil) {
        self.add = add
        self.drop = drop
    }
}

public struct SeccompProfile: Codable, Sendable, Equatable {
    /// `RuntimeDefault`, `Unconfined` or `Localhost`.
    public var type: String
    public var localhostProfile: String?

    public init(type: String, localhostProfile: String? = nil) {
        self.type = type
        self.localhostProfile = localhostProfile
    }
}

public struct SELinuxOptions: Codable, Sendable, Equatable {
    public var user: String?
    public var role: String?
    public var type: String?
    public var level: String?

    public init(user: String? = nil, role: String? = nil, type: String? = nil, level: String? = nil) {
        self.user = user
        self.role = role
        self.type = type
        self.level = level
    }
}

public struct Sysctl: Codable, Sendable, Equatable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
