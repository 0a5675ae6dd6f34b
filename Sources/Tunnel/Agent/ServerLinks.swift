import Synchronization

/// Which servers the agent's connections lead to, and how many it wants: one to each of up to three, as many as a control plane has.
/// With fewer, what a peer carries for the remaining server would end with that peer.
final class ServerLinks: Sendable {
    static let most = 3

    private struct Link {
        var serverID: String
        var endpoint: Endpoint
        var session: AgentSession
    }

    private struct State {
        var serverCount = 1
        var links: [Int: Link] = [:]
        /// Links that are not wanted, and links that pause before their next attempt.
        var idle: [Int: AsyncStream<Void>.Continuation] = [:]
        var paused: [Int: AsyncStream<Void>.Continuation] = [:]

        func isWanted(_ link: Int) -> Bool { ServerLinks.isWanted(link, of: serverCount, held: Set(links.keys)) }

        var idleThatAreWanted: [AsyncStream<Void>.Continuation] { idle.filter { isWanted($0.key) }.map(\.value) }
    }

    private let state = Mutex(State())

    /// A server said for the first time who it is and how many there are. False when another link leads to it already.
    func claim(_ id: String, of count: Int, at endpoint: Endpoint, for link: Int, by session: AgentSession) -> Bool {
        let (isNew, woken) = state.withLock { state in
            state.serverCount = count
            let isNew = !state.links.contains { $0.key != link && $0.value.serverID == id }
            if isNew { state.links[link] = Link(serverID: id, endpoint: endpoint, session: session) }
            return (isNew, state.idleThatAreWanted)
        }
        for continuation in woken { continuation.yield() }
        return isNew
    }

    /// A server spoke again: it has news of the others, as that one came back. A first word is none, or two links that find the same server
    /// again and again would wake each other; and of a session that no longer stands for its link it is the number alone.
    func hear(of count: Int, for link: Int, from session: AgentSession) {
        let woken = state.withLock { state in
            state.serverCount = count
            let isKnown = state.links[link]?.session === session
            return state.idleThatAreWanted + (isKnown ? Array(state.paused.values) : [])
        }
        for continuation in woken { continuation.yield() }
    }

    /// The session no longer stands for its link.
    func release(_ link: Int, _ session: AgentSession) {
        let woken = state.withLock { state in
            if state.links[link]?.session === session { state.links[link] = nil }
            return state.idleThatAreWanted
        }
        for continuation in woken { continuation.yield() }
    }

    /// Returns once the link is wanted; false when cancelled.
    func waitUntilWanted(_ link: Int) async -> Bool {
        while !Task.isCancelled {
            let news = news(for: link, \.idle)
            if state.withLock({ $0.isWanted(link) }) { return true }
            for await _ in news { break }
        }
        return false
    }

    /// Waits before the link's next attempt. True when a server had news meanwhile that make an attempt worth while.
    func pause(_ link: Int, for delay: Duration) async -> Bool {
        let news = news(for: link, \.paused)
        return await withTaskGroup { group in
            group.addTask {
                try? await Task.sleep(for: delay)
                return false
            }
            group.addTask {
                for await _ in news { return true }
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    private func news(
        for link: Int, _ list: sending WritableKeyPath<State, [Int: AsyncStream<Void>.Continuation]>
    ) -> AsyncStream<Void> {
        let (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        state.withLock { $0[keyPath: list][link] = signal }
        return signals
    }

    /// Where the link's next attempt goes, its attempts counted from 0.
    func endpoint(for link: Int, attempt: Int, of endpoints: [Endpoint]) -> Endpoint? {
        let taken = state.withLock { state in state.links.filter { $0.key != link }.map(\.value.endpoint) }
        return Self.endpoint(for: link, attempt: attempt, of: endpoints, taken: taken)
    }

    /// By turns one that no other link has, as it may be a server's own, and any, as one address may lead to several servers. The links
    /// begin at different ones.
    static func endpoint(for link: Int, attempt: Int, of endpoints: [Endpoint], taken: [Endpoint]) -> Endpoint? {
        let free = endpoints.filter { !taken.contains($0) }
        let choices = free.isEmpty || !attempt.isMultiple(of: 2) ? endpoints : free
        return choices.isEmpty ? nil : choices[(attempt / 2 + link) % choices.count]
    }

    var serverCount: Int { state.withLock { $0.serverCount } }

    var sessions: [AgentSession] { state.withLock { $0.links.sorted { $0.key < $1.key }.map(\.value.session) } }

    /// Whether the link, which leads nowhere, is to lead to a server: the first of those that lead nowhere, as many as servers are left.
    static func isWanted(_ link: Int, of count: Int, held: Set<Int>) -> Bool {
        (0..<link).count { !held.contains($0) } < min(count, most) - held.count
    }
}
