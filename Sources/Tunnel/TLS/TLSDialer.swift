import NIOCore
import NIOPosix
import NIOSSL

/// Makes the TLS connections of the tunnel's ends: the counterpart of `TLSListener`.
struct TLSDialer: Sendable {
    private let context: ReloadingContext
    private let keepalive: TCPKeepalive?

    init(tls: TLSFiles, speaking protocols: [String], keepalive: TCPKeepalive? = nil) {
        context = ReloadingContext(tls) { try $0.clientContext(speaking: protocols) }
        self.keepalive = keepalive
    }

    /// Connects, and has `begin` add the handlers of the protocol that was chosen.
    ///
    /// - Parameters:
    ///   - serverName: what the server's certificate has to name, a host or an address.
    ///   - begin: called on the event loop once TLS is up; completes the promise, unless it throws. Should the connection not be of
    ///     use within the time for a handshake, or end before, the promise fails and the connection is closed.
    func dial<Connection: Sendable>(
        _ endpoint: Endpoint, serverName: String, on eventLoop: any EventLoop,
        begin: @escaping @Sendable (_ channel: any Channel, _ chosen: String?, _ ready: EventLoopPromise<Connection>) throws -> Void
    ) -> EventLoopFuture<Connection> {
        let (context, keepalive) = (context, keepalive)
        let ready = eventLoop.makePromise(of: Connection.self)
        NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try context.current() }.flatMap { tls in
            var bootstrap = ClientBootstrap(group: eventLoop)
                .connectTimeout(NativeProtocol.dialTimeout)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelOption(.writeBufferWaterMark, value: NativeProtocol.connectionWatermark)
            if let keepalive { bootstrap = keepalive.apply(to: bootstrap) }
            return
                bootstrap
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        // An address is held to the certificate's addresses; as a name it may not be sent (RFC 6066, section 3).
                        let name = IPAddress(serverName) == nil ? serverName : nil
                        let gate = HandshakeGate(onReady: { try begin(channel, $0, ready) }, onFailure: { ready.fail($0) })
                        try channel.pipeline.syncOperations.addHandlers([
                            try NIOSSLClientHandler(context: tls, serverHostname: name), gate,
                        ])
                        let deadline = channel.eventLoop.scheduleTask(in: NativeProtocol.handshakeTimeout) {
                            ready.fail(HandshakeFailure.timeout)
                        }
                        ready.futureResult.whenComplete { _ in deadline.cancel() }
                        ready.futureResult.whenFailure { _ in channel.close(promise: nil) }
                    }
                }
                .connect(host: endpoint.host, port: endpoint.port)
        }.whenFailure { ready.fail($0) }
        return ready.futureResult
    }
}
