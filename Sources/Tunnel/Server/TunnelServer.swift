import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

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
    private let bound: EventLoopPromise<(front: Int?, agents: Int, peers: Int?)>

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
    public func agentPort() async throws -> Int { try await bound.futureResult.get().agents }

    /// The port that kube-apiserver connects to, once it is open; nil for a socket.
    public func frontPort() async throws -> Int? { try await bound.futureResult.get().front }

    /// The port that peers connect to, once it is open; nil for a server that has none.
    public func peerPort() async throws -> Int? { try await bound.futureResult.get().peers }

    /// The directory's answers may have changed: ask it again for every agent.
    public func directoryChanged() { eventLoop.execute { self.parts.value.registry.directoryChanged() } }

    /// The other servers of the control plane, as they are now: dials go through them to agents that only they hold, and agents
    /// learn how many servers there are.
    public func setPeers(_ peers: Set<Peer>) { eventLoop.execute { self.parts.value.setPeers(peers) } }

    public var agents: [ConnectedAgent] { roster.all }

    /// An element after each change of `agents` or of the directory, several at once as one. For one reader.
    public var agentChanges: AsyncStream<Void> { roster.changes }

    public func run() async throws {
        do {
            let front = try await eventLoop.flatSubmit { self.parts.value.front.bind(on: self.eventLoop) }.get()
            let listening: [any Channel]
            do {
                listening = try await eventLoop.flatSubmit { self.parts.value.listen() }.get()
            } catch {
                try? await front.close()
                throw error
            }
            let peers = listening.dropFirst().first
            bound.succeed((front.localAddress?.port, listening[0].localAddress?.port ?? configuration.agentPort, peers?.localAddress?.port))
            logger.info(
                "the tunnel is open",
                metadata: [
                    "front": "\(front.localAddress?.description ?? "?")", "agents": "\(listening[0].localAddress?.description ?? "?")",
                ])
            // Throws when cancelled instead, which ends the same way, but at once.
            let isGraceful = (try? await gracefulShutdown()) != nil
            for channel in listening { try? await channel.close() }
            if isGraceful { try await drain(front) }
            try? await front.close()
            try await eventLoop.submit { self.parts.value.close(reason: "the tunnel server is stopping") }.get()
        } catch {
            bound.fail(error)
            throw error
        }
    }

    /// kube-apiserver, which stops beside this server, still dials for requests that it carries to their end, so the front stays
    /// open for a while. Agents and peers hear of it at once.
    private func drain(_ front: any Channel) async throws {
        try await eventLoop.submit { self.parts.value.leave(reason: "the tunnel server is stopping") }.get()
        guard (try? await Task.sleep(for: configuration.shutdownDelay)) != nil else { return }
        try? await front.close()
        let end = ContinuousClock.now.advanced(by: configuration.drainTime)
        while counters.connectionsOpen.current > 0, ContinuousClock.now < end {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }
}
