import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// An agent of upstream's proxy-servers: keeps a connection to each of them and dials what they ask for.
public final class KonnectivityAgent: Service {
    /// A connection that was lost is made anew after this, and not at the next look.
    private static let lossDelay = Duration.milliseconds(100)

    private enum Wake {
        case time
        case loss
    }

    public let counters: TunnelCounters
    private let configuration: KonnectivityAgentConfiguration
    private let dialer: KonnectivityServerDialer
    private let resolvers = NIOThreadPool(numberOfThreads: 2)
    private let logger: Logger
    private let links = Mutex<[String: KonnectivityLink]>([:])
    private let knownServers = Atomic<Int>(1)

    public init(
        configuration: KonnectivityAgentConfiguration, counters: TunnelCounters = TunnelCounters(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(), logger: Logger
    ) {
        self.configuration = configuration
        self.counters = counters
        self.logger = logger
        let connector = TargetConnector(policy: configuration.policy, resolvers: resolvers)
        dialer = KonnectivityServerDialer(
            configuration: configuration, connector: connector, eventLoop: eventLoop, counters: counters, logger: logger)
    }

    /// How many servers hold a connection of this agent's.
    public var connectedServers: Int { links.withLock { $0.values.count { $0.isUsable } } }
    /// Connections that servers have open through this agent, and dials.
    public var openConnections: Int { links.withLock { $0.values.reduce(0) { $0 + $1.status.openCount } } }
    /// How many there are, as the last server said.
    public var knownServerCount: Int { knownServers.load(ordering: .relaxed) }

    public func run() async throws {
        resolvers.start()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { await self.findServers(&$0) }
        }
        let open = links.withLock { Array($0.values) }
        await withDiscardingTaskGroup { group in
            for link in open { group.addTask { await link.drain(within: self.configuration.drainTime) } }
        }
        try? await resolvers.shutdownGracefully()
    }

    private func findServers(_ watchers: inout DiscardingTaskGroup) async {
        var sync = ServerSync(
            interval: configuration.syncInterval, intervalCap: configuration.syncIntervalCap, isForever: configuration.syncForever)
        var generator = SystemRandomNumberGenerator()
        var lastProblem = ""
        let (wakes, wake) = AsyncStream.makeStream(of: Wake.self, bufferingPolicy: .bufferingNewest(1))
        var wakeIterator = wakes.makeAsyncIterator()
        while !Task.isCancelled {
            if sync.wantsAnother(connections: connectedServers) {
                do {
                    let link = try await dialer.connect()
                    if add(link) {
                        sync.found(serverCount: link.serverCount)
                        knownServers.store(link.serverCount, ordering: .relaxed)
                        logger.info("connected to a proxy server", metadata: ["server": "\(link.serverID)", "of": "\(link.serverCount)"])
                        watchers.addTask { await self.watch(link, wake) }
                    } else {
                        sync.wasInVain()
                        try? await link.channel.close()
                    }
                    lastProblem = ""
                } catch {
                    sync.failed()
                    // Said once, not at every attempt.
                    logger.log(
                        level: lastProblem == "\(error)" ? .debug : .warning, "could not connect to a proxy server",
                        metadata: ["server": "\(configuration.server)", "error": "\(error)"])
                    lastProblem = "\(error)"
                }
            } else {
                sync.wasInVain()
            }
            let delay = sync.delay(using: &generator)
            let timer = dialer.eventLoop.scheduleTask(in: TimeAmount(delay)) { _ = wake.yield(.time) }
            // One stream for both: a stream whose reader was cancelled for the sake of another would give nothing more.
            if await wakeIterator.next() == .loss { try? await Task.sleep(for: min(Self.lossDelay, delay)) }
            timer.cancel()
        }
    }

    /// False when a usable connection to that server is there already.
    private func add(_ link: KonnectivityLink) -> Bool {
        links.withLock { links in
            if let old = links[link.serverID], old.isUsable { return false }
            links[link.serverID] = link
            return true
        }
    }

    private func watch(_ link: KonnectivityLink, _ wake: AsyncStream<Wake>.Continuation) async {
        // Unlike the future, this ends when the task is cancelled: the agent drains its connections afterwards.
        let (closures, closure) = AsyncStream.makeStream(of: Void.self)
        link.channel.closeFuture.whenComplete { _ in closure.finish() }
        for await _ in closures {}
        guard !Task.isCancelled else { return }
        links.withLock { links in
            // A newer one may have taken its place.
            if links[link.serverID]?.channel === link.channel { links[link.serverID] = nil }
        }
        logger.info("lost a proxy server", metadata: ["server": "\(link.serverID)", "reason": "\(link.status.endReason)"])
        wake.yield(.loss)
    }
}
