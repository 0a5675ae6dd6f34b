import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// What a tunnel server is made with.
public struct TunnelServerConfiguration: Sendable {
    /// The Unix socket that kube-apiserver connects to.
    public var socketPath: String
    /// What kube-apiserver speaks there.
    public var front = FrontProtocol.httpConnect
    /// How upstream's agents are served.
    public var konnectivity = KonnectivityServing()
    public var agentHost: String
    public var agentPort: Int
    /// The serving certificate, its key, and the CA of the agents' certificates.
    public var tls: TLSFiles
    /// How long open connections may go on once the server is asked to stop.
    public var drainTime: Duration
    /// Tells this server from the others of its control plane.
    public var serverID: String
    /// Where the other servers connect to; nil for a server that has no peers.
    public var peers: PeerListening?

    public init(
        socketPath: String, agentHost: String = "::", agentPort: Int, tls: TLSFiles, drainTime: Duration = .seconds(20),
        serverID: String = TunnelServerConfiguration.randomID(), peers: PeerListening? = nil
    ) {
        self.serverID = serverID
        self.peers = peers
        self.socketPath = socketPath
        self.agentHost = agentHost
        self.agentPort = agentPort
        self.tls = tls
        self.drainTime = drainTime
    }
}

extension TunnelServerConfiguration {
    /// A name that no other server has.
    public static func randomID() -> String { String(UInt64.random(in: .min ... .max), radix: 16) }
}

/// The tunnel's server: connections that kube-apiserver asks for on a Unix socket go through the agents of the nodes.
///
/// All of it runs on one event loop: a tunnelled connection never crosses threads, and one loop carries more than a control plane
/// asks for.
public final class TunnelServer: Service {
    public let counters: TunnelCounters
    private let configuration: TunnelServerConfiguration
    private let eventLoop: any EventLoop
    private let roster: AgentRoster
    private let parts: NIOLoopBoundBox<ServerParts>
    private let logger: Logger
    private let bound: EventLoopPromise<Int>

    public init(
        configuration: TunnelServerConfiguration, identifier: any AgentIdentifier, directory: any NodeDirectory,
        counters: TunnelCounters = TunnelCounters(), eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.counters = counters
        self.eventLoop = eventLoop
        self.logger = logger
        let roster = AgentRoster()
        self.roster = roster
        parts = .makeBoxSendingValue(
            ServerParts(
                configuration: configuration, identifier: identifier, directory: directory, roster: roster, counters: counters,
                eventLoop: eventLoop, logger: logger),
            eventLoop: eventLoop)
        bound = eventLoop.makePromise()
    }

    deinit { bound.fail(CancellationError()) }

    /// The port that agents connect to, once it is open.
    public func agentPort() async throws -> Int { try await bound.futureResult.get() }

    /// The directory's answers may have changed: ask it again for every agent.
    public func directoryChanged() { eventLoop.execute { self.parts.value.registry.directoryChanged() } }

    /// The other servers of the control plane, as they are now: dials go through them to agents that only they hold, and agents
    /// learn how many servers there are.
    public func setPeers(_ peers: Set<Peer>) { eventLoop.execute { self.parts.value.setPeers(peers) } }

    public var agents: [ConnectedAgent] { roster.all }

    public func run() async throws {
        do {
            let front = try await bindFront()
            let listening: [any Channel]
            do {
                listening = try await eventLoop.flatSubmit { self.parts.value.listen() }.get()
            } catch {
                try? await front.close()
                throw error
            }
            bound.succeed(listening[0].localAddress?.port ?? configuration.agentPort)
            logger.info(
                "the tunnel is open",
                metadata: ["socket": "\(configuration.socketPath)", "agents": "\(listening[0].localAddress?.description ?? "?")"])
            // Throws when cancelled instead, which ends the same way, but at once.
            let isGraceful = (try? await gracefulShutdown()) != nil
            for channel in listening { try? await channel.close() }
            if isGraceful { try await drain() }
            try? await front.close()
            try await eventLoop.submit { self.parts.value.close(reason: "the tunnel server is stopping") }.get()
        } catch {
            bound.fail(error)
            throw error
        }
    }

    private func bindFront() async throws -> any Channel {
        try await ServerBootstrap(group: eventLoop)
            .serverChannelOption(.backlog, value: 1024)
            // HTTP/2 has a window for each call; a CONNECT's socket is read on demand.
            .childChannelOption(.autoRead, value: configuration.front == .grpc)
            .childChannelOption(.allowRemoteHalfClosure, value: configuration.front == .httpConnect)
            .childChannelOption(.maxMessagesPerRead, value: SocketEnd.readsPerTurn)
            .childChannelOption(.recvAllocator, value: SocketEnd.readBuffers)
            .childChannelOption(.writeBufferWaterMark, value: SocketEnd.watermark)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.parts.value.serveFront(channel) }
            }
            .bind(unixDomainSocketPath: configuration.socketPath, cleanupExistingSocketFile: true).get()
    }

    /// kube-apiserver, which stops beside this server, may still dial for requests that it carries to their end, so the front stays
    /// open as long as anything is. Agents and peers hear of it at once.
    private func drain() async throws {
        try await eventLoop.submit { self.parts.value.leave(reason: "the tunnel server is stopping") }.get()
        let end = ContinuousClock.now.advanced(by: configuration.drainTime)
        while counters.connectionsOpen.current > 0, ContinuousClock.now < end {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }
}
