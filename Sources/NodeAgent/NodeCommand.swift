import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Tunnel

/// What `nestbox-node` can be told to do.
public enum NodeCommand: Equatable, Sendable {
    case run(configuration: String)
    case cleanup(configuration: String)
    case install(file: String, place: String)
    case version
    case help

    public static let usage = """
        usage: nestbox-node run --config FILE      forward the tenant's API and carry its tunnel
               nestbox-node cleanup --config FILE  remove the address, routes and settings that run made
               nestbox-node install FROM TO       copy a small file there in one step, where an image has no shell for that
               nestbox-node version

        """

    /// Nil when the arguments make no sense.
    public init?(arguments: [String]) {
        switch (arguments.first, arguments.dropFirst().first, arguments.count) {
        case ("version", nil, 1), ("--version", nil, 1): self = .version
        case ("help", nil, 1), ("--help", nil, 1), ("-h", nil, 1): self = .help
        case ("run", "--config", 3): self = .run(configuration: arguments[2])
        case ("install", _?, 3): self = .install(file: arguments[1], place: arguments[2])
        case ("cleanup", "--config", 3): self = .cleanup(configuration: arguments[2])
        default: return nil
        }
    }
}

/// The node's program, in parts that `main` puts together.
public enum NodeProgram {
    public static func configuration(_ path: String) throws -> NodeConfiguration {
        try NodeConfiguration(text: try SmallFile.text(path), path: path)
    }

    /// The services of a node, with the machine prepared for them.
    public static func services(_ configuration: NodeConfiguration, logger: Logger) async throws -> [any Service] {
        for key in configuration.unknownKeys {
            logger.warning("passing over a setting that this version does not know", metadata: ["key": "\(key)"])
        }
        let setup = NodeSetup(configuration: configuration, logger: logger)
        let initial = try await NIOThreadPool.singleton.runIfActive {
            try setup.prepare()
            return NodeStateKeeper.initial(cached: setup.directory.state(), configuration: configuration)
        }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let forwarder = APIForwarder(
            address: configuration.apiAddress, endpoints: initial.apiEndpoints, filter: SourceFilter(pods: configuration.podCIDR),
            eventLoop: eventLoop, logger: logger)
        let keeper = NodeStateKeeper(
            configuration: configuration, initial: initial, directory: setup.directory, network: setup.network, forwarder: forwarder,
            logger: logger)
        let agent = TunnelAgent(
            configuration: TunnelAgentConfiguration(
                serverName: configuration.tunnelServerName, tls: configuration.tls,
                policy: DialPolicy(
                    nodeLocal: Set([configuration.apiAddress.address].compactMap { $0 }), allowed: configuration.dialAllow)),
            follower: keeper, eventLoop: eventLoop, logger: logger)
        return [forwarder, RouteKeeper(keeper: keeper, logger: logger), agent]
    }

    public static func install(_ file: String, at place: String) async throws {
        try await NIOThreadPool.singleton.runIfActive {
            try SmallFile.replace(place, with: try SmallFile.text(file), mode: 0o644)
        }
    }

    public static func cleanUp(_ configuration: NodeConfiguration, logger: Logger) async throws {
        try await NIOThreadPool.singleton.runIfActive { try NodeSetup(configuration: configuration, logger: logger).cleanUp() }
    }
}
