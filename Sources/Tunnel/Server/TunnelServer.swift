import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// What a tunnel server is made with.
public struct TunnelServerConfiguration: Sendable {
    /// The Unix socket that kube-apiserver connects to.
    public var socketPath: String
    public var agentHost: String
    public var agentPort: Int
    /// The serving certificate, its key, and the CA of the agents' certificates.
    public var tls: TLSFiles
    /// How long open connections may go on once the server is asked to stop.
    public var drainTime: Duration

    public init(socketPath: String, agentHost: String = "::", agentPort: Int, tls: TLSFiles, drainTime: Duration = .seconds(20)) {
        self.socketPath = socketPath
        self.agentHost = agentHost
        self.agentPort = agentPort
        self.tls = tls
        self.drainTime = drainTime
    }
}

/// An agent that is connected now.
public struct ConnectedAgent: Sendable, Hashable {
    public var node: String
    /// The state that the agent confirmed last, when it is the newest that it was sent.
    public var confirmed: NodeState?
    /// What the agent said was wrong with its newest state.
    public var failure: String?
}

/// The tunnel's server: connections that kube-apiserver asks for on a Unix socket go through the agents of the nodes.
public final class TunnelServer: Service {
    public let counters: TunnelCounters
    private let configuration: TunnelServerConfiguration
    private let registry: AgentRegistry
    private let listener: AgentListener
    private let group: any EventLoopGroup
    private let logger: Logger
    private let bound: EventLoopPromise<Int>

    public init(
        configuration: TunnelServerConfiguration, identifier: any AgentIdentifier, directory: any NodeDirectory,
        counters: TunnelCounters = TunnelCounters(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
    ) {
        self.configuration = configuration
        self.counters = counters
        self.group = group
        self.logger = logger
        registry = AgentRegistry(directory: directory)
        listener = AgentListener(
            tls: configuration.tls, identifier: identifier, directory: directory, registry: registry, counters: counters, logger: logger)
        bound = group.any().makePromise()
    }

    deinit { bound.fail(CancellationError()) }

    /// The port that agents connect to, once it is open.
    public func agentPort() async throws -> Int { try await bound.futureResult.get() }

    /// The directory's answers may have changed: ask it again for every agent.
    public func directoryChanged() { registry.directoryChanged() }

    public var agents: [ConnectedAgent] {
        registry.connections.filter { !$0.isClosing }.map {
            let publication = $0.publication
            return ConnectedAgent(node: $0.identity.node, confirmed: publication.confirmedState, failure: publication.failure)
        }
    }

    public func run() async throws {
        do {
            try await listener.checkFiles()
            let front = try await bindFront()
            let agents: any Channel
            do {
                agents = try await listener.bind(host: configuration.agentHost, port: configuration.agentPort, group: group)
            } catch {
                try? await front.close()
                throw error
            }
            bound.succeed(agents.localAddress?.port ?? configuration.agentPort)
            logger.info(
                "the tunnel is open",
                metadata: ["socket": "\(configuration.socketPath)", "agents": "\(agents.localAddress?.description ?? "?")"])
            // Throws when cancelled instead, which ends the same way, but at once.
            let isGraceful = (try? await gracefulShutdown()) != nil
            try? await front.close()
            if isGraceful { await drain() }
            try? await agents.close()
            for connection in registry.connections { connection.close(reason: "the tunnel server is stopping") }
        } catch {
            bound.fail(error)
            throw error
        }
    }

    private func bindFront() async throws -> any Channel {
        let registry = registry
        let counters = counters
        let logger = logger
        return try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 64 * 1024, high: 256 * 1024))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(FrontHandler(dialer: registry, counters: counters, logger: logger))
                }
            }
            .bind(unixDomainSocketPath: configuration.socketPath, cleanupExistingSocketFile: true).get()
    }

    private func drain() async {
        let end = ContinuousClock.now.advanced(by: configuration.drainTime)
        while counters.connectionsOpen.current > 0, ContinuousClock.now < end {
            guard (try? await Task.sleep(for: .milliseconds(50))) != nil else { return }
        }
    }
}
