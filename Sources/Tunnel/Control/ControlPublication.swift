/// What an agent was told last, and what it made of it.
struct ControlPublication {
    private(set) var revision: UInt64 = 0
    private(set) var state: NodeState?
    private(set) var confirmedRevision: UInt64 = 0
    private(set) var failure: String?

    /// The message to send, if the state is news.
    mutating func publish(_ new: NodeState) -> ControlMessage? {
        guard new != state else { return nil }
        revision += 1
        state = new
        return .state(revision: revision, new)
    }

    mutating func confirmed(_ revision: UInt64) {
        guard revision <= self.revision else { return }
        confirmedRevision = max(confirmedRevision, revision)
        if confirmedRevision == self.revision { failure = nil }
    }

    mutating func failed(_ revision: UInt64, reason: String) {
        if revision == self.revision { failure = reason }
    }

    /// The state that the agent is known to follow.
    var confirmedState: NodeState? { confirmedRevision == revision ? state : nil }
}
