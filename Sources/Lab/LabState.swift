/// A lab that is up: what its users need to know.
public struct LabState: Sendable, Equatable {
    public var name: String
    /// Of the host's admin.
    public var hostKubeconfigPath: String
    /// Reached from this computer and, at its NodePorts, from the machines.
    public var hostAddress: String
    public var hostNodeName: String
    public var kubernetesVersion: String
    /// The host's further nodes, which are machines, too.
    public var hostNodes: [LabMachine]
    public var machines: [LabMachine]
    public var sshKeyPath: String
    /// With kubectl of the host's version in it.
    public var binPath: String
    public var machinesNetwork: String
    public var podsNetwork: String
    public init(
        name: String, hostKubeconfigPath: String, hostAddress: String, hostNodeName: String, kubernetesVersion: String,
        hostNodes: [LabMachine] = [], machines: [LabMachine], sshKeyPath: String, binPath: String, machinesNetwork: String,
        podsNetwork: String
    ) {
        self.name = name
        self.hostKubeconfigPath = hostKubeconfigPath
        self.hostAddress = hostAddress
        self.hostNodeName = hostNodeName
        self.kubernetesVersion = kubernetesVersion
        self.hostNodes = hostNodes
        self.machines = machines
        self.sshKeyPath = sshKeyPath
        self.binPath = binPath
        self.machinesNetwork = machinesNetwork
        self.podsNetwork = podsNetwork
    }
}

/// What `status` finds.
public struct LabStatus: Sendable, Equatable, Codable {
    public enum Phase: String, Sendable, Codable {
        case absent
        case up
        /// The supervisor runs, and something of it is not as it should be.
        case degraded
        /// There is a state folder and no supervisor: `up` starts it again, `down` removes it.
        case stopped
    }

    public var name: String
    public var phase: Phase
    public var hostAddress: String?
    public var kubernetesVersion: String?
    public var components: [PartStatus]
    public var machines: [PartStatus]
    public init(
        name: String, phase: Phase, hostAddress: String? = nil, kubernetesVersion: String? = nil, components: [PartStatus],
        machines: [PartStatus]
    ) {
        self.name = name
        self.phase = phase
        self.hostAddress = hostAddress
        self.kubernetesVersion = kubernetesVersion
        self.components = components
        self.machines = machines
    }
}
