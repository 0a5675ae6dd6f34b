import KubernetesAPI

/// Decides whether a failed request is tried again, and after how long. Pure.
///
/// Conflicts are never retried here: only the caller knows how to make the change again.
struct RetryPolicy: Sendable {
    /// Nothing is retried: for probes, whose failure is the answer.
    static let none = RetryPolicy(attempts: 1, throttledAttempts: 1)
    static let standard = RetryPolicy()

    var attempts = 5
    /// A server that throttles did nothing yet and says when to come back, so it gets more patience.
    var throttledAttempts = 10
    var initial: Duration = .milliseconds(100)
    var limit: Duration = .seconds(5)
    var longestRetryAfter: Duration = .seconds(60)

    enum Decision: Sendable, Equatable {
        case giveUp
        /// After the server's own time, when it gave one; otherwise after the next backoff step.
        case retry(after: Duration?)
    }

    /// - Parameters:
    ///   - attempt: how many were made, 1 after the first.
    ///   - repeatable: the request may arrive twice without harm.
    ///   - unsent: it certainly did not reach the server.
    func decide(_ error: KubernetesError, attempt: Int, repeatable: Bool, unsent: Bool = false) -> Decision {
        let after = error.retryAfter.map { min($0, longestRetryAfter) }
        if error.httpStatus == 429 {
            // A PodDisruptionBudget says no with 429 too; that is an answer, not a crowded server.
            let causes = error.status?.details?.causes ?? []
            guard !causes.contains(where: { $0.reason == "DisruptionBudget" }) else { return .giveUp }
            return attempt < throttledAttempts ? .retry(after: after) : .giveUp
        }
        guard attempt < attempts else { return .giveUp }
        switch error.code {
        case .unreachable: return repeatable || unsent ? .retry(after: nil) : .giveUp
        case .timedOut: return unsent ? .retry(after: nil) : .giveUp
        default: break
        }
        switch error.httpStatus {
        case 503 where after != nil: return .retry(after: after)
        case 500, 502, 503, 504: return repeatable ? .retry(after: after) : .giveUp
        default: return .giveUp
        }
    }
}
