import Synchronization

/// An outcome that many wait for, settled once. Who is cancelled stops waiting; the others wait on.
package final class SharedOutcome<Value: Sendable>: Sendable {
    private struct State {
        var outcome: Result<Value, any Error>?
        var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Begins a reading that settles it, and that goes on for the others when one who waits is cancelled: it has to end by itself.
    convenience init(_ read: @escaping @Sendable () async throws -> Value) {
        self.init()
        Task {
            do {
                settle(.success(try await read()))
            } catch {
                settle(.failure(error))
            }
        }
    }

    package var isSettled: Bool { state.withLock { $0.outcome != nil } }

    package func settle(_ outcome: Result<Value, any Error>) {
        let waiters = state.withLock { state in
            state.outcome = outcome
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume(with: outcome) }
    }

    /// The outcome, once there is one; throws when the waiting task is cancelled first.
    package func value() async throws -> Value {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Value, any Error>? = state.withLock { state in
                    if let outcome = state.outcome { return outcome }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[id] = continuation
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.resume(throwing: CancellationError())
        }
    }
}
