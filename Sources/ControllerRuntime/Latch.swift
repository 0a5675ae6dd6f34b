import KubernetesClient

/// A gate that opens once, and lets through whoever waits.
final class Latch: Sendable {
    private let opened = SharedOutcome<Void>()

    var isOpen: Bool { opened.isSettled }

    func open() { opened.settle(.success(())) }

    /// Returns when the gate is open; throws when the waiting task is cancelled.
    func wait() async throws { try await opened.value() }
}
