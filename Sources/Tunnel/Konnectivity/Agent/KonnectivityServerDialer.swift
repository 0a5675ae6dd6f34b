import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL

/// Makes an agent's connections to upstream's servers: TCP, TLS, the call, and the server's word who it is.
struct KonnectivityServerDialer: Sendable {
    let configuration: KonnectivityAgentConfiguration
    let connector: TargetConnector
    let eventLoop: any EventLoop
    let counters: TunnelCounters
    let logger: Logger
    private let context: ReloadingContext

    init(
        configuration: KonnectivityAgentConfiguration, connector: TargetConnector, eventLoop: any EventLoop, counters: TunnelCounters,
        logger: Logger
    ) {
        self.configuration = configuration
        self.connector = connector
        self.eventLoop = eventLoop
        self.counters = counters
        self.logger = logger
        let protocols = [KonnectivityProtocol.applicationProtocol] + configuration.extraProtocols
        context = ReloadingContext(configuration.tls) { try $0.clientContext(speaking: protocols) }
    }

    func connect() async throws -> KonnectivityLink {
        let (context, tokenPath) = (context, configuration.tokenPath)
        let (tls, token) = try await NIOThreadPool.singleton.runIfActive {
            (try context.current(), try tokenPath.map { try SmallFile.text($0) })
        }
        let opening = GRPCHeaders.request(
            path: KonnectivityProtocol.agentPath, authority: configuration.server.description, metadata: metadata(token: token))
        let ready = eventLoop.makePromise(of: KonnectivityLink.self)
        let server = configuration.server
        ClientBootstrap(group: eventLoop)
            .connectTimeout(NativeProtocol.dialTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            // The kernel notices a machine that is gone long before gRPC's rules allow to ask.
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.keepIdle), value: 6)
            .channelOption(.tcpOption(.keepInterval), value: 4)
            .channelOption(.tcpOption(.keepCount), value: 3)
            .channelOption(.tcpOption(.userTimeout), value: 18_000)
            .channelOption(.writeBufferWaterMark, value: NativeProtocol.connectionWatermark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let gate = HandshakeGate(
                        onReady: { chosen in
                            guard chosen == KonnectivityProtocol.applicationProtocol else { throw HandshakeFailure.otherProtocol(chosen) }
                            try self.start(on: channel, opening: opening, ready: ready)
                        },
                        onFailure: { ready.fail($0) })
                    // An address is held to the certificate's addresses; as a name it would not be sent.
                    let name = server.address == nil ? server.host : nil
                    let handler = try NIOSSLClientHandler(context: tls, serverHostname: name)
                    try channel.pipeline.syncOperations.addHandlers([handler, gate])
                    let deadline = channel.eventLoop.scheduleTask(in: NativeProtocol.handshakeTimeout) {
                        ready.fail(HandshakeFailure.timeout)
                    }
                    ready.futureResult.whenComplete { _ in deadline.cancel() }
                    channel.closeFuture.whenComplete { _ in ready.fail(HandshakeFailure.closed) }
                    ready.futureResult.whenFailure { _ in channel.close(promise: nil) }
                }
            }
            .connect(host: server.host, port: server.port)
            .whenFailure { ready.fail($0) }
        return try await ready.futureResult.get()
    }

    private func metadata(token: String?) -> [(String, String)] {
        var metadata = [
            (KonnectivityProtocol.Metadata.agentID, configuration.agentID),
            (KonnectivityProtocol.Metadata.agentIdentifiers, configuration.identifiers),
        ]
        if let token {
            // A header's value has no line feed, which a file may end with.
            metadata.append((KonnectivityProtocol.Metadata.authorization, "Bearer \(token.filter { !$0.isWhitespace })"))
        }
        return metadata
    }

    private func start(on channel: any Channel, opening: HPACKHeaders, ready: EventLoopPromise<KonnectivityLink>) throws {
        let status = KonnectivityLinkStatus()
        var bound: NIOLoopBound<KonnectivityAgentSession>?
        let session = KonnectivityAgentSession(
            opening: opening, connector: connector, eventLoop: eventLoop, counters: counters, logger: logger, status: status,
            onHeaders: { result in
                guard let session = bound else { return }
                ready.completeWith(
                    result.map {
                        KonnectivityLink(serverID: $0.id, serverCount: $0.count, channel: channel, status: status, session: session)
                    })
            })
        bound = NIOLoopBound(session, eventLoop: eventLoop)
        let multiplexer = try HTTP2Ends.install(
            on: channel, mode: .client, patience: .withUpstreamsServer,
            onEvent: { event in
                switch event {
                case .leaving(let words): status.serverIsLeaving(words)
                case .closed(let error): if let error { status.end("\(error)") }
                }
            },
            // Servers make no calls.
            inboundStream: { _ in throw ChannelError.operationUnsupported })
        let sessionBound = NIOLoopBound(session, eventLoop: eventLoop)
        multiplexer.createStreamChannel(promise: nil) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(.autoRead, value: false)
                try stream.pipeline.syncOperations.addHandler(sessionBound.value.channel)
                // The call is all that the connection is for.
                stream.closeFuture.whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }
}

extension NIOBSDSocket.Option {
    /// Linux: `TCP_KEEPIDLE`, `TCP_KEEPINTVL`, `TCP_KEEPCNT`, `TCP_USER_TIMEOUT`.
    fileprivate static let keepIdle = NIOBSDSocket.Option(rawValue: 4)
    fileprivate static let keepInterval = NIOBSDSocket.Option(rawValue: 5)
    fileprivate static let keepCount = NIOBSDSocket.Option(rawValue: 6)
    fileprivate static let userTimeout = NIOBSDSocket.Option(rawValue: 18)
}
