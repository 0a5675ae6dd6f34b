import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

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
    /// A protocol that is offered beside the native one. A server that chooses it ends the agent with `OtherProtocolChosen`.
    public var otherProtocol: String?

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
    private let dialer: TLSDialer
    private let eventLoop: any EventLoop
    private let resolvers = NIOThreadPool(numberOfThreads: 2)
    private let logger: Logger
    private let links = ServerLinks()
    private let limits: NIOLoopBoundBox<DialLimits>
    private let news = StateNews()

    public init(
        configuration: TunnelAgentConfiguration, follower: any NodeStateFollower, counters: TunnelCounters = TunnelCounters(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(), logger: Logger
    ) {
        self.configuration = configuration
        self.follower = follower
        self.counters = counters
        self.eventLoop = eventLoop
        self.logger = logger
        limits = .makeBoxSendingValue(
            DialLimits(counters: counters, memory: ProcessMemory(eventLoop: eventLoop), logger: logger), eventLoop: eventLoop)
        dialer = TLSDialer(
            tls: configuration.tls,
            speaking: [NativeProtocol.applicationProtocol] + [configuration.otherProtocol].compactMap { $0 })
    }

    /// How many servers hold a connection of this agent's.
    public var connectedServers: Int { links.sessions.count { $0.channel.isActive } }
    /// How many there are, as the last server said.
    public var knownServerCount: Int { links.serverCount }

    public func run() async throws {
        resolvers.start()
        defer { resolvers.shutdownGracefully { _ in } }
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { await self.news.forEach { await self.takeOver($0) } }
                for link in 0..<ServerLinks.most { group.addTask { try await self.stayConnected(link) } }
            }
        }
        await withDiscardingTaskGroup { group in
            for session in links.sessions { group.addTask { await session.drain(within: self.configuration.drainTime) } }
        }
    }

    private func takeOver(_ news: StateNews.Item) async {
        do {
            try await follower.follow(news.state)
            news.session.send(.confirm(revision: news.revision))
        } catch {
            logger.warning("could not follow the server's state", metadata: ["revision": "\(news.revision)", "error": "\(error)"])
            news.session.send(.failed(revision: news.revision, reason: "\(error)"))
        }
    }

    /// Keeps one connection, to a server that no other link leads to.
    private func stayConnected(_ link: Int) async throws {
        var backoff = ReconnectBackoff()
        var generator = SystemRandomNumberGenerator()
        var attempt = 0
        var lastProblem = ""
        try await withThrowingDiscardingTaskGroup { retired in
            while await links.waitUntilWanted(link) {
                let endpoints = follower.tunnelEndpoints()
                let began = ContinuousClock.now
                do {
                    guard let endpoint = links.endpoint(for: link, attempt: attempt, of: endpoints) else { throw NoTunnelEndpoints() }
                    let (session, stamps) = try await connect(link, to: endpoint)
                    lastProblem = ""
                    counters.serversConnected.add(1)
                    logger.info("connected to a tunnel server", metadata: ["endpoint": "\(endpoint)"])
                    let reason = await stay(link, session, stamps: stamps, endpoint: endpoint, retired: &retired)
                    if Task.isCancelled { return }
                    backoff.ended(after: ContinuousClock.now - began)
                    logger.info("lost the tunnel server", metadata: ["endpoint": "\(endpoint)", "reason": "\(reason)"])
                } catch let error as SmallFile.Failure where error.isNotFound {
                    if lastProblem != "\(error)" { logger.info("waiting for a file to appear", metadata: ["path": "\(error.path)"]) }
                    lastProblem = "\(error)"
                    try? await Task.sleep(for: configuration.appearanceCheck)
                    continue
                } catch let other as OtherProtocolChosen {
                    throw other
                } catch {
                    backoff.failed()
                    counters.serversFailed.add(1)
                    // Said once, not at every attempt; that a balancer leads to the same server again is no news at all.
                    logger.log(
                        level: lastProblem == "\(error)" || error is SameServer ? .debug : .warning, "could not connect to a tunnel server",
                        metadata: ["endpoints": "\(endpoints.map(\.description).joined(separator: ","))", "error": "\(error)"])
                    lastProblem = "\(error)"
                }
                attempt += 1
                if await links.pause(link, for: backoff.delay(isAlone: links.sessions.isEmpty, using: &generator)) {
                    attempt = 0
                    backoff = ReconnectBackoff()
                    // A fleet that hears the same news does not come as one.
                    try? await Task.sleep(for: backoff.delay(using: &generator))
                }
            }
        }
    }

    /// Until the connection is lost, or its server is about to go. A new certificate gets a new connection before the old one is let
    /// go.
    private func stay(
        _ link: Int, _ first: AgentSession, stamps: [SmallFile.Stamp], endpoint: Endpoint,
        retired: inout ThrowingDiscardingTaskGroup<any Error>
    ) async -> String {
        var session = first
        var stamps = stamps
        renewal: while true {
            for await _ in session.looks {
                let old = session
                if session.isEnding {
                    links.release(link, session)
                    retired.addTask { await old.outlast() }
                    return session.endReason
                }
                guard let now = try? await currentStamps(), now != stamps,
                    let (next, nextStamps) = try? await connect(link, to: endpoint)
                else { continue }
                logger.info("connected with a new certificate", metadata: ["endpoint": "\(endpoint)"])
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

    private func connect(_ link: Int, to endpoint: Endpoint) async throws -> (AgentSession, [SmallFile.Stamp]) {
        let stamps = try await currentStamps()
        let connector = TargetConnector(policy: configuration.policy, resolvers: resolvers)
        let (configuration, counters, limits, links, news, logger) = (configuration, counters, limits, links, news, logger)
        let session = try await dialer.dial(endpoint, serverName: configuration.serverName, on: eventLoop) { channel, chosen, ready in
            guard chosen == NativeProtocol.applicationProtocol else {
                if let chosen, chosen == configuration.otherProtocol { throw OtherProtocolChosen() }
                throw HandshakeFailure.otherProtocol(chosen)
            }
            let session = AgentSession(
                channel: channel, connector: connector, limits: limits.value, lookInterval: configuration.rotationCheck, counters: counters,
                logger: logger,
                onMessage: { message, session in
                    switch message {
                    case .server(let id, let count):
                        guard session.noteIntroduction() else { return links.hear(of: count, for: link, from: session) }
                        if links.claim(id, of: count, at: endpoint, for: link, by: session) {
                            ready.succeed(session)
                        } else {
                            ready.fail(SameServer())
                            session.channel.close(promise: nil)
                        }
                    case .state(let revision, let state):
                        news.put(StateNews.Item(revision: revision, state: state, session: session))
                    default: break
                    }
                })
            channel.closeFuture.whenComplete { _ in
                // Also of one that came up as its dial was given up.
                links.release(link, session)
                ready.fail(ConnectionEnded(reason: session.endReason))
            }
            try session.start()
        }.get()
        return (session, stamps)
    }
}

/// The server closed the connection before it was of use, with its words.
struct ConnectionEnded: Error, CustomStringConvertible {
    var reason: String
    var description: String { reason }
}

/// The address led to a server that another connection of this agent's has.
struct SameServer: Error, CustomStringConvertible {
    var description: String { "the address led to a server that is connected already" }
}

/// Neither the configuration nor a server has said where the tunnel is.
struct NoTunnelEndpoints: Error, CustomStringConvertible {
    var description: String { "no tunnel endpoint is known" }
}

/// The server does not speak the native protocol, but the other one that was offered.
struct OtherProtocolChosen: Error {}
