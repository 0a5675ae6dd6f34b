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
    /// How long one endpoint may keep a connection waiting before the next is tried beside it.
    private static let patience = TimeAmount.milliseconds(300)
    /// An endpoint whose node lost its power sends no reset: a connection to it is over 6 to 9 s later, whether it is silent or not, and
    /// its client, told so, comes again by another. A kubelet left alone would notice after 45 s.
    private static let keepalive = TCPKeepalive(idle: 3, interval: 2, timeout: 8_000)

    private struct State {
        var health: EndpointHealth
        var open = OpenConnections()
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
            let way = Way(EndpointRace(self.state.withLock { $0.health.nextOrder() }))
            let start = WhenActive { self.perform(way.race.start(), on: way, of: near, channel) }
            try channel.pipeline.syncOperations.addHandlers(start, near)
        }
    }

    private func perform(_ action: EndpointRace.Action, on way: Way, of near: SocketEnd, _ channel: any Channel) {
        switch action {
        case .wait: break
        case .giveUp:
            logger.warning("no endpoint of the API can be reached")
            near.partnerReset()
        case .connect(let endpoint):
            // Who asked is gone.
            guard channel.isActive else { return }
            connect(near, of: channel, to: endpoint, on: way)
            channel.eventLoop.assumeIsolated().scheduleTask(in: Self.patience) {
                self.perform(way.race.waited(for: endpoint), on: way, of: near, channel)
            }
        }
    }

    private func connect(_ near: SocketEnd, of channel: any Channel, to endpoint: Endpoint, on way: Way) {
        let heard = OpenConnections.Heard()
        let far = SocketEnd { _ in heard.at = .now }
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
                    guard way.race.connected(), channel.isActive else {
                        upstream.close(promise: nil)
                        return
                    }
                    self.keep(
                        OpenConnections.Connection(end: bound, heard: NIOLoopBound(heard, eventLoop: channel.eventLoop)), of: upstream,
                        to: endpoint)
                    far.link(to: near)
                    near.link(to: far)
                case .failure(let error):
                    self.logger.info("an endpoint of the API failed", metadata: ["endpoint": "\(endpoint)", "error": "\(error)"])
                    self.failed(endpoint)
                    self.perform(way.race.failed(endpoint), on: way, of: near, channel)
                }
            }
    }

    private static func bootstrap(on loop: any EventLoop) -> ClientBootstrap {
        keepalive.apply(
            to: ClientBootstrap(group: loop).connectTimeout(connectTime).channelOption(.tcpOption(.tcp_nodelay), value: 1))
    }

    private func keep(_ connection: OpenConnections.Connection, of upstream: any Channel, to endpoint: Endpoint) {
        let id = ObjectIdentifier(upstream)
        state.withLock { $0.open.add(connection, id, to: endpoint) }
        upstream.closeFuture.whenComplete { _ in self.state.withLock { $0.open.remove(id, from: endpoint) } }
    }

    // MARK: Health

    private func failed(_ endpoint: Endpoint) {
        let broken = state.withLock { state -> (since: ContinuousClock.Instant, open: [OpenConnections.Connection])? in
            state.health.failed(endpoint, at: .now).map { ($0, state.open.of(endpoint)) }
        }
        guard let broken, !broken.open.isEmpty else { return }
        eventLoop.execute {
            let silent = broken.open.filter { $0.heard.value.at < broken.since }
            guard !silent.isEmpty else { return }
            self.logger.warning(
                "resetting the silent connections of an endpoint that does not answer",
                metadata: ["endpoint": "\(endpoint)", "connections": "\(silent.count)"])
            for connection in silent { connection.end.value.partnerReset() }
        }
    }

    /// Asks each endpoint for a connection: with one only there is nothing to decide, and silence is better.
    private func probe() async {
        let endpoints = state.withLock { $0.health.endpoints }
        guard endpoints.count > 1 else { return }
        // Side by side: one that does not answer keeps no other waiting.
        await withDiscardingTaskGroup { group in
            for endpoint in endpoints { group.addTask { await self.probe(endpoint) } }
        }
    }

    private func probe(_ endpoint: Endpoint) async {
        do {
            let channel = try await Self.bootstrap(on: eventLoop).connect(host: endpoint.host, port: endpoint.port).get()
            try? await channel.close()
            state.withLock { $0.health.succeeded(endpoint) }
        } catch {
            failed(endpoint)
        }
    }
}

/// A connection's race, on its event loop.
private final class Way {
    var race: EndpointRace
    init(_ race: EndpointRace) { self.race = race }
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
