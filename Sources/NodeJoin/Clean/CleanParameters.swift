/// All that cleaning one machine depends on.
public struct CleanParameters: Sendable, Equatable {
    public var owner: MachineOwner
    /// Whose routes go; empty when it is not known.
    public var clusterPodCIDR: String
    public var nodeLocalAPIAddress: String
    /// Whether the machine gets new SSH host keys, as it must before anybody else may use it.
    public var renewHostKeys: Bool
    /// Whether to clean even where no trace says that a join ever got past its preflight. Never for a machine that may be
    /// another cluster's node: it would be one no more.
    public var assumeJoined: Bool

    public init(
        owner: MachineOwner, clusterPodCIDR: String, nodeLocalAPIAddress: String = "172.20.0.1", renewHostKeys: Bool = true,
        assumeJoined: Bool = false
    ) {
        self.owner = owner
        self.clusterPodCIDR = clusterPodCIDR
        self.nodeLocalAPIAddress = nodeLocalAPIAddress
        self.renewHostKeys = renewHostKeys
        self.assumeJoined = assumeJoined
    }
}
