/// Who an agent is, by the certificate that it proved to hold.
public struct AgentIdentity: Hashable, Sendable {
    public var node: String
    /// Seconds since 1970: from when and until when the certificate holds.
    public var notBefore: Int64
    public var notAfter: Int64

    public init(node: String, notBefore: Int64, notAfter: Int64) {
        self.node = node
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

/// Reads the identity from a certificate that TLS has verified up to the cluster's CA.
public protocol AgentIdentifier: Sendable {
    func identity(certificate der: [UInt8]) throws -> AgentIdentity
}

/// Whether an agent may carry for the node that it is.
public enum Admission: Hashable, Sendable {
    case admitted
    /// The record is not known yet: the connection is kept, and carries nothing until it is.
    case undecided
    /// Why not, in words for the agent's log.
    case refused(String)
}

/// Which agents may carry a connection to a host.
public enum Route: Hashable, Sendable {
    /// The host is this node, or a pod of it.
    case node(String)
    /// No node owns the host: a Service, or something outside.
    case anyNode
    case refused(String)
}

/// The operator's record of the nodes. The tunnel server believes it, and never what an agent says of itself.
public protocol NodeDirectory: Sendable {
    func admission(of identity: AgentIdentity) -> Admission
    func route(to host: String) -> Route
    /// What the node is to be told, or nil when nothing is known yet.
    func state(for node: String) -> NodeState?
}
