import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// An agent outside Nestbox: speaks natively with servers of ours, and upstream's protocol with upstream's.
public final class StandaloneAgent: Service {
    private enum Speaking: Sendable {
        case natively(TunnelAgent)
        case konnectivity(KonnectivityAgent)
    }

    public let counters: TunnelCounters
    private let configuration: KonnectivityAgentConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let speaking: Mutex<Speaking>

    public init(
        configuration: KonnectivityAgentConfiguration, counters: TunnelCounters = TunnelCounters(),
        eventLoop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next(), logger: Logger
    ) {
        self.configuration = configuration
        self.counters = counters
        self.eventLoop = eventLoop
        self.logger = logger
        var native = TunnelAgentConfiguration(
            serverName: configuration.server.host, tls: configuration.tls, policy: configuration.policy, drainTime: configuration.drainTime)
        native.otherProtocol = KonnectivityProtocol.applicationProtocol
        speaking = Mutex(
            .natively(
                TunnelAgent(
                    configuration: native, follower: FixedServer(endpoint: configuration.server), counters: counters, eventLoop: eventLoop,
                    logger: logger)))
    }

    /// How many servers hold a connection of this agent's.
    public var connectedServers: Int {
        switch speaking.withLock({ $0 }) {
        case .natively(let agent): agent.connectedServers
        case .konnectivity(let agent): agent.connectedServers
        }
    }

    /// Connections that servers have open through this agent, and dials.
    public var openConnections: Int {
        switch speaking.withLock({ $0 }) {
        case .natively: counters.connectionsOpen.current
        case .konnectivity(let agent): agent.openConnections
        }
    }

    /// How many there are, as the last server said.
    public var knownServerCount: Int {
        switch speaking.withLock({ $0 }) {
        case .natively(let agent): agent.knownServerCount
        case .konnectivity(let agent): agent.knownServerCount
        }
    }

    public func run() async throws {
        // Upstream's protocol alone carries a token, and what the agent says that it reaches.
        if configuration.tokenPath == nil, configuration.identifiers.isEmpty, case .natively(let agent) = speaking.withLock({ $0 }) {
            do {
                return try await agent.run()
            } catch is OtherProtocolChosen {
                logger.info("the server speaks upstream's protocol")
            }
        }
        let agent = KonnectivityAgent(configuration: configuration, counters: counters, eventLoop: eventLoop, logger: logger)
        speaking.withLock { $0 = .konnectivity(agent) }
        try await agent.run()
    }
}

/// The one address that the agent was told.
private struct FixedServer: NodeStateFollower {
    let endpoint: Endpoint

    func tunnelEndpoints() -> [Endpoint] { [endpoint] }
    func follow(_ state: NodeState) async throws {}
}
