import ControllerRuntime
import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Logging
import ServiceLifecycle
import Tunnel

/// Keeps this server's Lease in the tenant's API, and tells the tunnel server which others have one.
public struct PeerDiscovery: ServiceLifecycle.Service {
    private static let namespace = RecordReader.namespace
    /// How long a server that stops is listed yet; the API server beside it takes requests for 3 s.
    private static let farewell = Duration.seconds(2)
    private let client: KubernetesClient
    private let informer: Informer<Lease>
    private let id: String
    private let endpoint: Endpoint
    private let onChange: @Sendable (Set<Peer>) -> Void
    private let logger: Logger

    /// `endpoint` is where the others reach this server.
    public init(
        client: KubernetesClient, id: String, endpoint: Endpoint, logger: Logger, onChange: @escaping @Sendable (Set<Peer>) -> Void
    ) {
        self.client = client
        self.id = id
        self.endpoint = endpoint
        self.onChange = onChange
        self.logger = logger
        informer = Informer(client: client, namespace: Self.namespace, labels: PeerLeases.label, logger: logger)
    }

    public func run() async throws {
        let (changes, changed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        informer.onChange { _ in changed.yield() }
        try await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                group.addTask { try await informer.run() }
                group.addTask { await renew(changed) }
                try await informer.waitUntilSynced()
                await follow(changes)
                group.cancelAll()
            }
        }
        // A server that came up a moment ago, as in a roll, is to find this one, which may hold agents that have not found that one yet.
        try? await Task.sleep(for: Self.farewell)
        // So that the others need not wait for it to expire.
        try? await client.delete(Lease.self, PeerLeases.name(of: id), namespace: Self.namespace)
    }

    /// Also looks at the others' at each renewal: one that stays as it is makes no change to be told of.
    private func renew(_ changed: AsyncStream<Void>.Continuation) async {
        while !Task.isCancelled {
            do {
                _ = try await client.apply(
                    PeerLeases.own(id: id, endpoint: endpoint, namespace: Self.namespace, date: .now), fieldManager: "nestbox-tunnel")
            } catch {
                logger.debug("could not renew this server's Lease", metadata: ["error": "\(error)"])
            }
            changed.yield()
            try? await Task.sleep(for: PeerLeases.renewal)
        }
    }

    private func follow(_ changes: AsyncStream<Void>) async {
        let start = ContinuousClock.now
        var leases = PeerLeases(ownID: id, port: endpoint.port)
        var known: Set<Peer>?
        for await _ in changes {
            let (peers, expired) = leases.read(informer.list(), now: ContinuousClock.now - start)
            if peers != known {
                logger.info("the tunnel's servers changed", metadata: ["peers": "\(peers.map { "\($0.endpoint)" }.sorted())"])
                onChange(peers)
            }
            known = peers
            for id in expired {
                for name in [PeerLeases.name(of: id), AgentReport.name(of: id)] {
                    try? await client.delete(Lease.self, name, namespace: Self.namespace)
                }
            }
        }
    }
}
