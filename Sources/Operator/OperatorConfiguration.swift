/// How one replica of the operator was started.
public struct OperatorConfiguration: Sendable {
    /// Two roles, two ServiceAccounts: who holds tenants' keys has no SSH, and who listens to hostile machines holds no CA.
    public enum Role: String, Sendable, CaseIterable {
        case controlPlanes = "control-planes"
        case machines
    }

    public var role: Role
    /// The operators' own namespace: Leases, SSH keys, join tickets.
    public var namespace: String
    /// Unique to this replica; its pod's name.
    public var identity: String
    /// Where `/healthz`, `/readyz` and `/metrics` are served.
    public var healthPort: Int
    /// The artifact store's folder.
    public var artifacts: String
    /// `nestbox-node`, which comes with the operator: it is pushed to the machines.
    public var nodeProgram: String
    /// Where machines that nobody reaches fetch from.
    public var artifactsPort: Int
    /// This replica's own, to be published as where that is; nil where something else sees to that.
    public var podAddress: String?

    public init(
        role: Role, namespace: String, identity: String, healthPort: Int, artifacts: String, nodeProgram: String, artifactsPort: Int = 8081,
        podAddress: String? = nil
    ) {
        self.role = role
        self.namespace = namespace
        self.identity = identity
        self.healthPort = healthPort
        self.artifacts = artifacts
        self.nodeProgram = nodeProgram
        self.artifactsPort = artifactsPort
        self.podAddress = podAddress
    }
}
