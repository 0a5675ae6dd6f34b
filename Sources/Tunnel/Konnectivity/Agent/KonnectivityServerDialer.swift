import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix

/// Makes an agent's connections to upstream's servers: TCP, TLS, the call, and the server's word who it is.
struct KonnectivityServerDialer: Sendable {
    let configuration: KonnectivityAgentConfiguration
    let connector: TargetConnector
    let eventLoop: any EventLoop
    let counters: TunnelCounters
    let logger: Logger
    private let dialer: TLSDialer

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
        // The kernel notices a machine that is gone long before gRPC's rules allow to ask.
        dialer = TLSDialer(
            tls: configuration.tls, speaking: protocols, keepalive: TCPKeepalive(idle: 6, interval: 4, timeout: 18_000))
    }

    func connect() async throws -> KonnectivityLink {
        let token = try await NIOThreadPool.singleton.runIfActive { [tokenPath = configuration.tokenPath] in
            try tokenPath.map { try SmallFile.text($0) }
        }
        let opening = GRPCHeaders.request(
            path: KonnectivityProtocol.agentPath, authority: configuration.server.description, metadata: metadata(token: token))
        return try await dialer.dial(configuration.server, serverName: configuration.server.host, on: eventLoop) { channel, chosen, ready in
            guard chosen == KonnectivityProtocol.applicationProtocol else { throw HandshakeFailure.otherProtocol(chosen) }
            channel.closeFuture.whenComplete { _ in ready.fail(HandshakeFailure.closed) }
            try self.start(on: channel, opening: opening, ready: ready)
        }.get()
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
