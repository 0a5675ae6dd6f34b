/// How a node that is unwell is mended, as both operators tell each other: the one that sees the tenant's Node asks, the one that
/// speaks SSH looks and mends.
public struct RepairStatus: Codable, Sendable, Equatable {
    public var state: RepairState
    /// RFC 3339: when it came to be in that state.
    public var since: String
    /// How often the machine was looked at.
    public var attempts: Int?
    /// RFC 3339: when the last attempt ended.
    public var lastAttempt: String?
    /// What was found and done last.
    public var message: String?
    /// The node's certificate is gone or expired: it has to ask for one with a new token.
    public var needsTicket: Bool?

    public init(
        state: RepairState, since: String, attempts: Int? = nil, lastAttempt: String? = nil, message: String? = nil,
        needsTicket: Bool? = nil
    ) {
        self.state = state
        self.since = since
        self.attempts = attempts
        self.lastAttempt = lastAttempt
        self.message = message
        self.needsTicket = needsTicket
    }
}

public enum RepairState: String, Codable, Sendable, CaseIterable {
    /// Asked for: the machine is looked at over SSH, and mended if that can be.
    case mending = "Mending"
    /// Its Node is Ready again.
    case mended = "Mended"
    /// Given up: it is to be replaced, within the pool's limits.
    case notMended = "NotMended"
}
