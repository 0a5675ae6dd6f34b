import SSHClient

/// All that looking at an unwell node's machine depends on.
public struct RepairParameters: Sendable, Equatable {
    public var owner: MachineOwner
    public var nodeLocalAPIAddress: String
    public var apiPort: Int
    /// Where the kubelet says on loopback that it is well.
    public var kubeletHealthPort: Int
    /// With a fresh token, for a node whose certificate is gone or expired; nil when there is none.
    public var bootstrapKubeconfig: String?
    /// Whether the services are started anew although they seem well: what was found and mended before did not help.
    public var restartsAll: Bool
    /// Whether the kubelet has to register its Node again.
    public var nodeIsGone: Bool
    public var limits: RepairLimits

    public init(
        owner: MachineOwner, nodeLocalAPIAddress: String = "172.20.0.1", apiPort: Int = 6443, kubeletHealthPort: Int = 10248,
        bootstrapKubeconfig: String? = nil, restartsAll: Bool = false, nodeIsGone: Bool = false, limits: RepairLimits = .init()
    ) {
        self.owner = owner
        self.nodeLocalAPIAddress = nodeLocalAPIAddress
        self.apiPort = apiPort
        self.kubeletHealthPort = kubeletHealthPort
        self.bootstrapKubeconfig = bootstrapKubeconfig
        self.restartsAll = restartsAll
        self.nodeIsGone = nodeIsGone
        self.limits = limits
    }
}

/// From where on something is wrong.
public struct RepairLimits: Sendable, Equatable {
    /// The kubelet sees to its disk long before, while it lives.
    public var diskMiB: Int
    public var inodes: Int
    public var clockSkewSeconds: Int

    public init(diskMiB: Int = 100, inodes: Int = 1000, clockSkewSeconds: Int = 60) {
        self.diskMiB = diskMiB
        self.inodes = inodes
        self.clockSkewSeconds = clockSkewSeconds
    }
}

extension Plan {
    /// Looks at the machine of a node that is unwell, and mends what a restart mends. Containers go on running. What it found and
    /// did is in the outcome's outputs (`RepairFindings`); whether that helped only the Node can tell.
    public static func repair(_ parameters: RepairParameters) -> Plan {
        let limits = parameters.limits
        return Plan(
            name: "Repair", fence: ClaimFile.fence(parameters.owner),
            steps: [
                RepairDisk.step(limits), RepairClock.step(limits), RepairSurroundings.step,
                RepairCertificate.step(bootstrapKubeconfig: parameters.bootstrapKubeconfig),
                RepairService.containerd.step(anyway: parameters.restartsAll),
                RepairService.agent(parameters).step(anyway: parameters.restartsAll),
                RepairService.kubelet(parameters).step(anyway: parameters.restartsAll || parameters.nodeIsGone),
            ])
    }
}
