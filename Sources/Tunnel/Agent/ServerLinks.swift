import Synchronization

/// Which servers the agent's connections lead to, and how many it wants: two where there are as many, so that one may go.
final class ServerLinks: Sendable {
    static let wanted = 2

    private struct State {
        var serverCount = 1
        var servers: [Int: (id: String, session: AgentSession)] = [:]
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
    }

    private let state = Mutex(State())

    /// A server said who it is and how many there are. False when another link leads to it already.
    func claim(_ id: String, of count: Int, for link: Int, by session: AgentSession) -> Bool {
        let (isNew, woken) = state.withLock { state in
            state.serverCount = count
            let woken = state.waiting.filter { Self.isWanted($0.key, of: count) }.map(\.value)
            guard !state.servers.contains(where: { $0.key != link && $0.value.id == id }) else { return (false, woken) }
            state.servers[link] = (id, session)
            return (true, woken)
        }
        for continuation in woken { continuation.yield() }
        return isNew
    }

    /// The session no longer stands for its link.
    func release(_ link: Int, _ session: AgentSession) {
        state.withLock { if $0.servers[link]?.session === session { $0.servers[link] = nil } }
    }

    /// Returns once the link is wanted; false when cancelled.
    func waitUntilWanted(_ link: Int) async -> Bool {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let isWanted = state.withLock { state in
            state.waiting[link] = signal
            return Self.isWanted(link, of: state.serverCount)
        }
        defer { state.withLock { $0.waiting[link] = nil } }
        if isWanted { return !Task.isCancelled }
        for await _ in signals { return true }
        return false
    }

    var serverCount: Int { state.withLock { $0.serverCount } }

    var sessions: [AgentSession] { state.withLock { $0.servers.sorted { $0.key < $1.key }.map(\.value.session) } }

    private static func isWanted(_ link: Int, of count: Int) -> Bool { link < min(count, wanted) }
}
