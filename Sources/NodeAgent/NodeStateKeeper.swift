import Logging
import NIOPosix
import Synchronization
import Tunnel

/// Follows the state that the control stream brings: on disk, in the forwarder, in the kernel's routes.
final class NodeStateKeeper: NodeStateFollower {
    private let configuration: NodeConfiguration
    private let directory: StateDirectory
    private let network: NodeNetwork
    private let forwarder: APIForwarder
    private let logger: Logger
    private let state: Mutex<NodeState>

    init(
        configuration: NodeConfiguration, initial: NodeState, directory: StateDirectory, network: NodeNetwork, forwarder: APIForwarder,
        logger: Logger
    ) {
        self.configuration = configuration
        self.directory = directory
        self.network = network
        self.forwarder = forwarder
        self.logger = logger
        state = Mutex(initial)
    }

    /// What is known at the start: what was known at the end of the last run, or else what the machine was told when it joined.
    static func initial(cached: NodeState?, configuration: NodeConfiguration) -> NodeState {
        let told = NodeState(apiEndpoints: configuration.apiEndpoints, tunnelEndpoints: configuration.tunnelEndpoints)
        return merge(cached ?? NodeState(), over: told)
    }

    /// Routes are taken as they are; an empty list of endpoints would cut the node off for good, and never is the truth.
    static func merge(_ new: NodeState, over old: NodeState) -> NodeState {
        NodeState(
            apiEndpoints: new.apiEndpoints.isEmpty ? old.apiEndpoints : new.apiEndpoints,
            tunnelEndpoints: new.tunnelEndpoints.isEmpty ? old.tunnelEndpoints : new.tunnelEndpoints, routes: new.routes)
    }

    func tunnelEndpoints() -> [Endpoint] { state.withLock { $0.tunnelEndpoints } }

    func follow(_ new: NodeState) async throws {
        let (merged, changed) = state.withLock { state -> (NodeState, Bool) in
            let merged = Self.merge(new, over: state)
            defer { state = merged }
            return (merged, merged != state)
        }
        forwarder.update(merged.apiEndpoints)
        let directory = directory
        if changed { try await NIOThreadPool.singleton.runIfActive { try directory.save(merged) } }
        try await applyRoutes()
    }

    /// Brings the kernel's routes in line with the state; throws what could not be done.
    func applyRoutes() async throws {
        let routes = configuration.podRoutes ? state.withLock { $0.routes } : []
        let network = network
        let ownPods = configuration.podCIDR
        let problems = try await NIOThreadPool.singleton.runIfActive { try network.apply(routes: routes, ownPods: ownPods) }
        guard problems.isEmpty else { throw RouteProblems(problems: problems) }
    }
}

/// Routes that could not be set.
struct RouteProblems: Error, CustomStringConvertible {
    var problems: [String]
    var description: String { problems.joined(separator: "; ") }
}
