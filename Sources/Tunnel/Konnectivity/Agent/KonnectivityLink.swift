import NIOCore
import Synchronization

/// How an agent's connection to a server stands, for those outside of its event loop.
final class KonnectivityLinkStatus: Sendable {
    private let open = Atomic<Int>(0)
    private let leaving = Atomic<Bool>(false)
    private let reason = Mutex<String?>(nil)

    /// Connections and dials that it carries.
    var openCount: Int { open.load(ordering: .relaxed) }
    func setOpen(_ count: Int) { open.store(count, ordering: .relaxed) }

    /// Whether the server takes no new calls: another connection is to be made.
    var isLeaving: Bool { leaving.load(ordering: .relaxed) }
    func serverIsLeaving(_ words: String) {
        leaving.store(true, ordering: .relaxed)
        end(words)
    }

    /// Why it ended; the first reason is the cause of the others.
    var endReason: String { reason.withLock { $0 } ?? "the server closed the connection" }
    func end(_ words: String) { reason.withLock { if $0 == nil { $0 = words } } }
}

/// An agent's connection to one server, which said who it is.
struct KonnectivityLink: Sendable {
    var serverID: String
    var serverCount: Int
    var channel: any Channel
    var status: KonnectivityLinkStatus
    var session: NIOLoopBound<KonnectivityAgentSession>

    var isUsable: Bool { channel.isActive && !status.isLeaving }

    /// What the server asked before it read the DRAIN comes within this.
    private static let afterthought = Duration.milliseconds(300)

    /// Says that the agent leaves, waits for the open connections as long as it may, and closes.
    func drain(within limit: Duration) async {
        let session = session
        try? await channel.eventLoop.submit { session.value.drain() }.get()
        let end = ContinuousClock.now.advanced(by: limit)
        var lastOpen = ContinuousClock.now
        while channel.isActive, ContinuousClock.now < end, ContinuousClock.now - lastOpen < Self.afterthought {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { break }
            if status.openCount > 0 { lastOpen = .now }
        }
        try? await channel.close()
    }
}
