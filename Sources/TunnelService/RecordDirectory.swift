import Synchronization
import Tunnel

/// The record as it is now, for the tunnel server to ask.
public final class RecordDirectory: NodeDirectory {
    private let record = Mutex<ClusterRecord?>(nil)

    public init() {}

    /// Nil until the record has been read once.
    public var current: ClusterRecord? { record.withLock { $0 } }

    /// Takes a new record over; false if it says what the last one said.
    public func update(_ new: ClusterRecord) -> Bool {
        record.withLock { record in
            guard record != new else { return false }
            record = new
            return true
        }
    }

    public func admission(of identity: AgentIdentity) -> Admission { current?.admission(of: identity) ?? .undecided }

    public func route(to host: String) -> Route {
        current?.route(to: host) ?? .refused("the tunnel server has not read the cluster's record of nodes yet")
    }

    public func state(for node: String) -> NodeState? { current?.state(for: node) }
}

/// A directory for a tunnel that runs alone: every agent that the CA knows may carry, and any of them carries anything but what
/// names another.
public struct OpenDirectory: NodeDirectory {
    public init() {}
    public func admission(of identity: AgentIdentity) -> Admission { .admitted }
    public func route(to host: String) -> Route { .anyNode }
    public func state(for node: String) -> NodeState? { nil }
}
