/// Decides what an informer does next: list, watch, and how long to wait before. Pure.
struct InformerStateMachine: Sendable {
    enum Action: Sendable, Equatable {
        case list(after: Duration)
        case watch(from: String, after: Duration)
    }

    /// Why a list or a watch failed.
    enum Failure: Sendable, Equatable {
        /// 410: the version is older than what the server keeps.
        case expired
        /// Anything else, with the time the server asked to wait.
        case other(retryAfter: Duration?)
    }

    static let firstDelay: Duration = .milliseconds(200)
    static let longestDelay: Duration = .seconds(30)
    /// A watch that ends sooner than this without an event counts as a failure: a server that closes each one at once
    /// must not be asked without pause.
    static let shortestWatch: Duration = .seconds(1)

    /// So many watches in a row that brought nothing, and the version they start from is given up: there may be none from there,
    /// and listing again, with growing patience, keeps the copy from growing old without end.
    static let failuresUntilList = 3

    /// What a broken watch is resumed from.
    private(set) var resourceVersion: String?
    /// Watches in a row that failed before anything arrived. A list does not end the row: a server that cannot serve what it has
    /// just listed is given time.
    private(set) var failures = 0
    private var delay = InformerStateMachine.firstDelay
    private var receivedSinceWatch = false

    mutating func start() -> Action { .list(after: .zero) }

    mutating func listed(resourceVersion: String) -> Action {
        self.resourceVersion = resourceVersion
        if failures == 0 { delay = Self.firstDelay }
        return watch(after: .zero)
    }

    mutating func listFailed(_ failure: Failure) -> Action {
        .list(after: nextDelay(failure))
    }

    /// An event or a bookmark arrived.
    mutating func received(resourceVersion: String?) {
        receivedSinceWatch = true
        succeeded()
        if let resourceVersion, !resourceVersion.isEmpty { self.resourceVersion = resourceVersion }
    }

    /// The server ended the watch, as it does every few minutes.
    mutating func watchEnded(after lasted: Duration) -> Action {
        guard receivedSinceWatch || lasted >= Self.shortestWatch else { return broughtNothing(.other(retryAfter: nil)) }
        succeeded()
        return watch(after: .zero)
    }

    mutating func watchFailed(_ failure: Failure) -> Action {
        switch failure {
        case .expired:
            resourceVersion = nil
            failures += 1
            return .list(after: failures == 1 ? .zero : nextDelay(failure))
        case .other(let retryAfter):
            // A connection cut after it served is resumed at once; one that was never there, with growing patience.
            guard receivedSinceWatch else { return broughtNothing(failure) }
            return watch(after: retryAfter == nil ? .zero : nextDelay(failure))
        }
    }

    private mutating func broughtNothing(_ failure: Failure) -> Action {
        failures += 1
        if failures >= Self.failuresUntilList { resourceVersion = nil }
        return watch(after: nextDelay(failure))
    }

    private mutating func succeeded() {
        failures = 0
        delay = Self.firstDelay
    }

    /// A watch from where the last one was; a list where that is not known.
    private mutating func watch(after delay: Duration) -> Action {
        receivedSinceWatch = false
        guard let resourceVersion else { return .list(after: delay) }
        return .watch(from: resourceVersion, after: delay)
    }

    private mutating func nextDelay(_ failure: Failure) -> Duration {
        let step = delay
        delay = min(delay * 2, Self.longestDelay)
        if case .other(let retryAfter?) = failure { return max(step, retryAfter) }
        return step
    }
}
