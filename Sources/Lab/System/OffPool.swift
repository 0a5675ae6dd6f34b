import Dispatch

private let queue = DispatchQueue(label: "nestbox.lab.blocking", attributes: .concurrent)

/// Runs work that waits for the disk or a socket on a thread of its own, not on the cooperative pool.
func offPool<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        queue.async { continuation.resume(with: Result(catching: body)) }
    }
}
