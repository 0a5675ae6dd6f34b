import Hummingbird
import HummingbirdCore
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI
import ServiceLifecycle

/// `GET /sha256/DIGEST`, and nothing else: what `PublishedFiles` has at this moment, for machines that nobody reaches.
///
/// Plain HTTP, on purpose. Whoever fetches knows the SHA-256 of what is to come, from a command that an admin handed over or from a script
/// that was verified by it: who changes a byte on the way achieves nothing, no key has to be kept or rolled, and any proxy or cache may
/// stand between. Nothing secret is served: the token is in the command alone. Where what a pool's `nodeConfiguration` writes must not be
/// read on the way, a provider puts the TLS proxy there that they have anyway (`nestbox token create --url https://...`).
struct FileServer: ServiceLifecycle.Service {
    /// More wait until others are done: each holds a buffer, and anybody may knock.
    private static let mostConnections = 64

    let files: PublishedFiles
    let port: Int
    /// What the Service is to lead to: of the replica that leads.
    let address: String?
    let namespace: String
    let client: KubernetesClient
    let logger: Logger

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await serve() }
            group.addTask { await cancelWhenGracefulShutdown { await publish() } }
            defer { group.cancelAll() }
            // The one ends when it has said where this is, and the other goes on.
            while try await group.next() != nil {}
        }
    }

    private func serve() async throws {
        let router = Router()
        let disk = FileIO()
        router.get("sha256/:digest") { [files] _, context -> Response in
            guard let digest = context.parameters.get("digest"), let content = files[digest] else { throw HTTPError(.notFound) }
            switch content {
            case .text(let text): return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
            case .file(let path): return Response(status: .ok, body: try await disk.loadFile(path: path, context: context))
            }
        }
        var quiet = logger
        quiet.logLevel = .warning
        try await Application(
            router: router, server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(
                address: .hostname("0.0.0.0", port: port),
                availableConnectionsDelegate: MaximumAvailableConnections(Self.mostConnections)),
            logger: quiet
        ).run()
    }

    /// Says where it is, until that is known: joins over SSH go on without it.
    private func publish() async {
        guard let address else { return }
        let endpoints = Endpoints(
            metadata: ObjectMeta(name: MachineScript.serviceName, namespace: namespace, labels: ["app.kubernetes.io/part-of": "nestbox"]),
            subsets: [
                EndpointSubset(
                    addresses: [EndpointAddress(ip: address)], ports: [EndpointPort(name: "http", port: port, protocol: "TCP")])
            ])
        while !Task.isCancelled {
            do {
                _ = try await client.apply(endpoints, fieldManager: fieldManager)
                return
            } catch {
                logger.warning("where machines fetch from is not published", metadata: ["error": "\(error)"])
            }
            do { try await Task.sleep(for: .seconds(30)) } catch { return }
        }
    }
}
