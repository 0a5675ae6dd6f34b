import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Synchronization

/// What a tunnel agent is made with.
public struct TunnelAgentConfiguration: Sendable {
    /// The name in the server's certificate, whatever address it is reached at.
    public var serverName: String
    public var tls: TLSFiles
    public var policy: DialPolicy
    /// How long open connections may go on once the agent is asked to stop.
    public var drainTime: Duration
    /// How often the certificate's file is looked at: for its first appearance, and for its rotation.
    public var appearanceCheck: Duration
    public var rotationCheck: Duration

    public init(
        serverName: String, tls: TLSFiles, policy: DialPolicy = DialPolicy(), drainTime: Duration = .seconds(5),
        appearanceCheck: Duration = .seconds(1), rotationCheck: Duration = .seconds(30)
    ) {
        self.serverName = serverName
        self.tls = tls
        self.policy = policy
        self.drainTime = drainTime
        self.appearanceCheck = appearanceCheck
        self.rotationCheck = rotationCheck
    }
}

/// Follows what the server tells this node.
public protocol NodeStateFollower: Sendable {
    /// Where to connect to now, in order of preference.
    func tunnelEndpoints() -> [Endpoint]
    /// Takes a new state over. What it throws is told to the server.
    func follow(_ state: NodeState) async throws
}

/// The tunnel's agent: keeps a connection to a server and dials what the server asks for.
public final class TunnelAgent: Service {
    public let counters: TunnelCounters
    private let configuration: TunnelAgentConfiguration
    private let follower: any NodeStateFollower
    private let context: ReloadingContext
    private let group: any EventLoopGroup
    private let resolvers = NIOThreadPool(numberOfThreads: 2)
    private let logger: Logger
    private let current = Mutex<AgentSession?>(nil)

    private struct News: Sendable {
        var revision: UInt64
        var state: NodeState
        var session: AgentSession
    }

    public init(
        configuration: TunnelAgentConfiguration, follower: any NodeStateFollower, counters: TunnelCounters = TunnelCounters(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
    ) {
        self.configuration = configuration
        self.follower = follower
        self.counters = counters
        self.group = group
        self.logger = logger
        context = ReloadingContext(configuration.tls) { try $0.clientContext() }
    }

    /// Whether a server holds a connection of this agent's.
    public var isConnected: Bool { current.withLock { $0?.channel.isActive ?? false } }

    public func run() async throws {
        resolvers.start()
        // Only the newest state matters.
        let (states, news) = AsyncStream.makeStream(of: News.self, bufferingPolicy: .bufferingNewest(1))
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { for await item in states { await self.takeOver(item) } }
                await self.stayConnected(news: news, retired: &group)
                news.finish()
            }
        }
        if let session = current.withLock({ $0 }) { await session.drain(within: configuration.drainTime) }
        try? await resolvers.shutdownGracefully()
    }

    private func takeOver(_ news: News) async {
        do {
            try await follower.follow(news.state)
            news.session.send(.confirm(revision: news.revision))
        } catch {
            logger.warning("could not follow the server's state", metadata: ["revision": "\(news.revision)", "error": "\(error)"])
            news.session.send(.failed(revision: news.revision, reason: "\(error)"))
        }
    }

    private func stayConnected(news: AsyncStream<News>.Continuation, retired: inout DiscardingTaskGroup) async {
        var backoff = ReconnectBackoff()
        var generator = SystemRandomNumberGenerator()
        var attempt = 0
        var lastProblem = ""
        while !Task.isCancelled {
            let endpoints = follower.tunnelEndpoints()
            let began = ContinuousClock.now
            do {
                guard !endpoints.isEmpty else { throw NoTunnelEndpoints() }
                let endpoint = endpoints[attempt % endpoints.count]
                let (session, stamps) = try await connect(to: endpoint, news: news)
                lastProblem = ""
                logger.info("connected to a tunnel server", metadata: ["endpoint": "\(endpoint)"])
                let reason = await stay(session, stamps: stamps, endpoint: endpoint, news: news, retired: &retired)
                if Task.isCancelled { return }
                backoff.ended(after: ContinuousClock.now - began)
                logger.info("lost the tunnel server", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"])
            } catch let error as SmallFile.Failure where error.isNotFound {
                if lastProblem != "\(error)" { logger.info("waiting for a file to appear", metadata: ["path": "\(error.path)"]) }
                lastProblem = "\(error)"
                try? await Task.sleep(for: configuration.appearanceCheck)
                continue
            } catch {
                backoff.failed()
                // Said once, not at every attempt.
                logger.log(
                    level: lastProblem == "\(error)" ? .debug : .warning, "could not connect to a tunnel server",
                    metadata: ["endpoints": "\(endpoints.map(\.description).joined(separator: ","))", "error": "\(error)"])
                lastProblem = "\(error)"
            }
            attempt += 1
            try? await Task.sleep(for: backoff.delay(using: &generator))
        }
    }

    /// Until the connection is lost. A new certificate gets a new connection before the old one is let go.
    private func stay(
        _ first: AgentSession, stamps: [SmallFile.Stamp], endpoint: Endpoint, news: AsyncStream<News>.Continuation,
        retired: inout DiscardingTaskGroup
    ) async -> String {
        var session = first
        var stamps = stamps
        renewal: while true {
            current.withLock { $0 = session }
            for await _ in session.looks {
                guard let now = try? await currentStamps(), now != stamps,
                    let (next, nextStamps) = try? await connect(to: endpoint, news: news)
                else { continue }
                logger.info("connected with a new certificate", metadata: ["endpoint": "\(endpoint)"])
                let old = session
                retired.addTask { await old.drain(within: nil) }
                session = next
                stamps = nextStamps
                continue renewal
            }
            return session.endReason
        }
    }

    private func currentStamps() async throws -> [SmallFile.Stamp] {
        let files = configuration.tls
        return try await NIOThreadPool.singleton.runIfActive { try files.stamps() }
    }

    private func connect(
        to endpoint: Endpoint, news: AsyncStream<News>.Continuation
    ) async throws -> (AgentSession, [SmallFile.Stamp]) {
        let context = context
        let stamps = try await currentStamps()
        let tls = try await NIOThreadPool.singleton.runIfActive { try context.current() }
        let loop = group.any()
        let ready = loop.makePromise(of: AgentSession.self)
        let connector = TargetConnector(policy: configuration.policy, resolvers: resolvers)
        let configuration = configuration
        let counters = counters
        let logger = logger
        ClientBootstrap(group: loop)
            .connectTimeout(NativeProtocol.dialTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: NativeProtocol.connectionWatermark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let session = AgentSession(
                        channel: channel, connector: connector, lookInterval: configuration.rotationCheck, counters: counters,
                        logger: logger,
                        onState: { news.yield(News(revision: $0, state: $1, session: $2)) })
                    let gate = HandshakeGate(
                        onReady: { _ in
                            try session.start()
                            ready.succeed(session)
                        },
                        onFailure: { ready.fail($0) })
                    let handler = try NIOSSLClientHandler(context: tls, serverHostname: configuration.serverName)
                    try channel.pipeline.syncOperations.addHandlers([handler, gate])
                }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .whenFailure { ready.fail($0) }
        return (try await ready.futureResult.get(), stamps)
    }
}

/// Neither the configuration nor a server has said where the tunnel is.
struct NoTunnelEndpoints: Error, CustomStringConvertible {
    var description: String { "no tunnel endpoint is known" }
}
