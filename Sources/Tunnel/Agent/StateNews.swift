import Synchronization

/// The states that servers sent and that were not looked at yet: of each connection only the newest matters.
final class StateNews: Sendable {
    struct Item: Sendable {
        var revision: UInt64
        var state: NodeState
        var session: AgentSession
    }

    private let items = Mutex<[ObjectIdentifier: Item]>([:])
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    init() { (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func put(_ item: Item) {
        items.withLock { $0[ObjectIdentifier(item.session)] = item }
        signal.yield()
    }

    /// Until cancelled.
    func forEach(_ body: (Item) async -> Void) async {
        for await _ in signals {
            let taken = items.withLock { items in
                defer { items = [:] }
                return items.values
            }
            for item in taken { await body(item) }
        }
    }
}
