/// The texts of DIAL_RSP: upstream has no status beside them, and reads one out of the words.
enum KonnectivityError {
    /// The failure that an agent's words stand for.
    static func failure(_ text: String) -> DialFailure {
        let lowered = text.lowercased()
        if ["timeout", "timed out", "deadline exceeded"].contains(where: lowered.contains) { return .timeout(text) }
        if lowered.contains("too many open files") { return .unavailable(text) }
        return .badGateway(text)
    }

    /// The words for a failure, in which upstream's server finds its status again.
    static func text(_ failure: DialFailure, dialing target: Endpoint? = nil) -> String {
        // In small letters, as Go's errors are: people and tests look for "connection refused".
        let reason = failure.reason.prefix(1).lowercased() + failure.reason.dropFirst()
        let words = failure.status == 504 ? "i/o timeout: \(reason)" : reason
        return target.map { "dial tcp \($0): \(words)" } ?? words
    }
}
