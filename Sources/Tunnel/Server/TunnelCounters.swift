import Synchronization

/// What a tunnel end counts; read by whoever publishes metrics.
public final class TunnelCounters: Sendable {
    public let agentsConnected = Atomic<Int>(0)
    public let agentsAccepted = Atomic<Int>(0)
    public let agentsRefused = Atomic<Int>(0)
    public let connectionsOpen = Atomic<Int>(0)
    /// Dials under way.
    public let dialsPending = Atomic<Int>(0)
    public let dialsSucceeded = Atomic<Int>(0)
    public let dialsFailed = Atomic<Int>(0)
    public let dialsAbandoned = Atomic<Int>(0)
    /// Dials refused because a limit was reached.
    public let dialsOverLimit = Atomic<Int>(0)
    public let frontsRefused = Atomic<Int>(0)
    /// Front connections that said nothing and had to make room.
    public let frontsEvicted = Atomic<Int>(0)
    public let bytesToNodes = Atomic<Int>(0)
    public let bytesFromNodes = Atomic<Int>(0)

    public init() {}
}

extension Atomic where Value == Int {
    func add(_ amount: Int) { wrappingAdd(amount, ordering: .relaxed) }
    public var current: Int { load(ordering: .relaxed) }
}
