import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Tunnel

/// The tenant's API on this machine: passes each connection on to a published endpoint that works.
final class APIForwarder: Service {
    private static let connectTime = TimeAmount.seconds(2)
    private static let probeInterval = Duration.seconds(5)

    private struct State {
        var health: EndpointHealth
        var open: [Endpoint: [ObjectIdentifier: NIOLoopBound<SocketEnd>]] = [:]
    }

    private let address: Endpoint
    private let filter: SourceFilter
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let state: Mutex<State>
    private let bound: EventLoopPromise<Int>

    init(address: Endpoint, endpoints: [Endpoint], filter: SourceFilter, eventLoop: any EventLoop, logger: Logger) {
        self.address = address
        self.filter = filter
        self.eventLoop = eventLoop
        self.logger = logger
        state = Mutex(State(health: EndpointHealth(endpoints)))
        bound = eventLoop.makePromise()
    }

    deinit { bound.fail(CancellationError()) }

    /// The port that is listened on, once it is.
    func port() async throws -> Int { try await bound.futureResult.get() }

    /// New connections go to these from now on; open ones stay, as an endpoint that left the list may well work to the end.
    func update(_ endpoints: [Endpoint]) {
        let changed = state.withLock { state in
            guard state.health.endpoints != endpoints else { return false }
            state.health.update(endpoints)
            return true
        }
        if changed {
            logger.info("the API's endpoints changed", metadata: ["endpoints": "\(endpoints.map(\.description).joined(separator: ","))"])
        }
    }

    func run() async throws {
        let server: any Channel
        do {
            server = try await ServerBootstrap(group: eventLoop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.backlog, value: 512)
                .childChannelOption(.autoRead, value: false)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in self.accept(channel) }
                .bind(host: address.host, port: address.port).get()
        } catch {
            bound.fail(error)
            throw ForwarderError(description: "cannot listen on \(address): \(error)")
        }
        bound.succeed(server.localAddress?.port ?? address.port)
        logger.info("forwarding to the API", metadata: ["address": "\(address)"])
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.probeInterval)
                await self.probe()
            }
        }
        try? await server.close()
    }

    // MARK: Connections

    private func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        guard let source = channel.remoteAddress?.ip, filter.allows(source) else {
            logger.debug("refused a connection from elsewhere", metadata: ["peer": "\(channel.remoteAddress?.description ?? "?")"])
            return channel.eventLoop.makeFailedFuture(ForwarderError(description: "not from this node"))
        }
        return channel.eventLoop.makeCompletedFuture {
            let near = SocketEnd()
            let order = self.state.withLock { $0.health.nextOrder() }
            let start = WhenActive { self.connect(near, of: channel, to: order[...]) }
            try channel.pipeline.syncOperations.addHandlers(start, near)
        }
    }

    private func connect(_ near: SocketEnd, of channel: any Channel, to order: ArraySlice<Endpoint>) {
        guard let endpoint = order.first else {
            logger.warning("no endpoint of the API can be reached")
            near.partnerReset()
            return
        }
        let far = SocketEnd()
        let bound = NIOLoopBound(far, eventLoop: channel.eventLoop)
        Self.bootstrap(on: channel.eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { upstream in
                upstream.eventLoop.makeCompletedFuture { try upstream.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(host: endpoint.host, port: endpoint.port)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let upstream):
                    self.state.withLock { $0.health.succeeded(endpoint) }
                    guard channel.isActive else {
                        upstream.close(promise: nil)
                        return
                    }
                    self.keep(bound, of: upstream, to: endpoint)
                    far.link(to: near)
                    near.link(to: far)
                case .failure(let error):
                    self.logger.info("an endpoint of the API failed", metadata: ["endpoint": "\(endpoint)", "error": "\(error)"])
                    self.failed(endpoint)
                    self.connect(near, of: channel, to: order.dropFirst())
                }
            }
    }

    private static func bootstrap(on loop: any EventLoop) -> ClientBootstrap {
        TCPKeepalive(idle: 10, interval: 5, timeout: 20_000).apply(
            to: ClientBootstrap(group: loop).connectTimeout(connectTime).channelOption(.tcpOption(.tcp_nodelay), value: 1))
    }

    private func keep(_ far: NIOLoopBound<SocketEnd>, of upstream: any Channel, to endpoint: Endpoint) {
        let id = ObjectIdentifier(upstream)
        state.withLock { $0.open[endpoint, default: [:]][id] = far }
        upstream.closeFuture.whenComplete { _ in
            self.state.withLock { state in
                state.open[endpoint]?[id] = nil
                if state.open[endpoint]?.isEmpty == true { state.open[endpoint] = nil }
            }
        }
    }

    // MARK: Health

    private func failed(_ endpoint: Endpoint) {
        let broken = state.withLock { state -> [NIOLoopBound<SocketEnd>] in
            guard state.health.failed(endpoint, at: .now) else { return [] }
            return Array(state.open[endpoint, default: [:]].values)
        }
        guard !broken.isEmpty else { return }
        logger.warning(
            "resetting the connections of an endpoint that does not answer",
            metadata: ["endpoint": "\(endpoint)", "connections": "\(broken.count)"])
        eventLoop.execute { for far in broken { far.value.partnerReset() } }
    }

    /// Asks each endpoint for a connection: with one only there is nothing to decide, and silence is better.
    private func probe() async {
        let endpoints = state.withLock { $0.health.endpoints }
        guard endpoints.count > 1 else { return }
        for endpoint in endpoints {
            do {
                let channel = try await Self.bootstrap(on: eventLoop).connect(host: endpoint.host, port: endpoint.port).get()
                try? await channel.close()
                state.withLock { $0.health.succeeded(endpoint) }
            } catch {
                failed(endpoint)
            }
        }
    }
}

/// Starts what needs the channel once it is registered: what is asked of it before, as a first read, is lost.
private final class WhenActive: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let start: () -> Void

    init(_ start: @escaping () -> Void) { self.start = start }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        start()
    }
}

/// Why the forwarder cannot serve.
struct ForwarderError: Error, CustomStringConvertible {
    var description: String
}
