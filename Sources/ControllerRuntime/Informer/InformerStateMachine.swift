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

    /// What a broken watch is resumed from.
    private(set) var resourceVersion: String?
    private var delay = InformerStateMachine.firstDelay
    private var receivedSinceWatch = false
    /// Expired versions one after the other: a server that cannot serve what it has just listed is given time.
    private var expirations = 0

    mutating func start() -> Action { .list(after: .zero) }

    mutating func listed(resourceVersion: String) -> Action {
        self.resourceVersion = resourceVersion
        delay = Self.firstDelay
        return watch(after: .zero)
    }

    mutating func listFailed(_ failure: Failure) -> Action {
        .list(after: nextDelay(failure))
    }

    /// An event or a bookmark arrived.
    mutating func received(resourceVersion: String?) {
        receivedSinceWatch = true
        delay = Self.firstDelay
        expirations = 0
        if let resourceVersion, !resourceVersion.isEmpty { self.resourceVersion = resourceVersion }
    }

    /// The server ended the watch, as it does every few minutes.
    mutating func watchEnded(after lasted: Duration) -> Action {
        guard receivedSinceWatch || lasted >= Self.shortestWatch else { return watch(after: nextDelay(.other(retryAfter: nil))) }
        return watch(after: .zero)
    }

    mutating func watchFailed(_ failure: Failure) -> Action {
        switch failure {
        case .expired:
            resourceVersion = nil
            expirations += 1
            return .list(after: expirations == 1 ? .zero : nextDelay(failure))
        case .other(let retryAfter):
            // A connection cut after it served is resumed at once; one that was never there, with growing patience.
            if receivedSinceWatch, retryAfter == nil { return watch(after: .zero) }
            return watch(after: nextDelay(failure))
        }
    }

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
