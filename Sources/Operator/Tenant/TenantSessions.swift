import ControllerRuntime
import KubernetesClient
import Logging
import ServiceLifecycle
import Synchronization

/// The sessions with every tenant whose API answers, opened and closed by the HostedCluster's reconciler.
final class TenantSessions: Service {
    private struct State {
        var sessions: [String: TenantSession] = [:]
        var cancellations: [String: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())
    private let starts: AsyncStream<TenantSession>
    private let start: AsyncStream<TenantSession>.Continuation
    private let logger: Logger
    private let rightsLost: @Sendable (_ cluster: ObjectKey, _ clusterUID: String) -> Void
    private let statusChanged: @Sendable (_ cluster: ObjectKey) -> Void
    private let nodeChanged: @Sendable (String) -> Void

    /// - Parameters:
    ///   - rightsLost: called when a tenant's API forbids what the operator has to do there.
    ///   - statusChanged: called when something changed in a tenant that its cluster's conditions tell of.
    ///   - nodeChanged: called with the name of a tenant's node, which is its Machine's.
    init(
        logger: Logger, rightsLost: @escaping @Sendable (_ cluster: ObjectKey, _ clusterUID: String) -> Void,
        statusChanged: @escaping @Sendable (_ cluster: ObjectKey) -> Void, nodeChanged: @escaping @Sendable (String) -> Void
    ) {
        self.logger = logger
        self.rightsLost = rightsLost
        self.statusChanged = statusChanged
        self.nodeChanged = nodeChanged
        // Bounded in fact by the number of clusters: a session is put in once, and again when it is opened anew.
        (starts, start) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(100_000))
    }

    func session(_ clusterUID: String) -> TenantSession? {
        state.withLock { $0.sessions[clusterUID] }
    }

    var all: [TenantSession] { state.withLock { Array($0.sessions.values) } }

    /// Opens the session unless it is open, and anew when the tenant is reached at another address than before. With another
    /// certificate the same session goes on.
    func open(cluster: ObjectKey, clusterUID: String, access: ClientConfiguration) async throws -> TenantSession {
        if let open = session(clusterUID), open.isReached(at: access) {
            await open.use(access)
            return open
        }
        let session = try TenantSession(
            cluster: cluster, clusterUID: clusterUID, access: access, logger: logger,
            rightsLost: { [rightsLost] in rightsLost(cluster, clusterUID) }, statusChanged: { [statusChanged] in statusChanged(cluster) },
            nodeChanged: nodeChanged)
        let end = state.withLock { state in
            state.sessions[clusterUID] = session
            return state.cancellations.removeValue(forKey: clusterUID)
        }
        end?()
        start.yield(session)
        return session
    }

    func close(_ clusterUID: String) {
        let cancel = state.withLock { state in
            state.sessions[clusterUID] = nil
            return state.cancellations.removeValue(forKey: clusterUID)
        }
        cancel?()
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for await session in self.starts {
                    group.addTask { await self.run(session) }
                }
                group.cancelAll()
            }
        }
    }

    private func run(_ session: TenantSession) async {
        let (ended, end) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let isOpen = state.withLock { state in
            guard state.sessions[session.clusterUID] === session else { return false }
            state.cancellations[session.clusterUID] = { end.finish() }
            return true
        }
        guard isOpen else { return await session.client.shutdown() }
        await withTaskGroup { group in
            group.addTask { await session.run() }
            group.addTask { for await _ in ended {} }
            await group.next()
            group.cancelAll()
        }
    }
}
