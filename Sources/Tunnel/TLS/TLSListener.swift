import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Listens for TLS connections, with a client certificate unless tokens are asked for instead. On the tunnel's event loop.
final class TLSListener {
    /// Adds the handlers of the protocol that was chosen, for the one whose certificate, if any, was proved; throws to refuse.
    typealias Acceptance = (_ channel: any Channel, _ certificate: [UInt8]?, _ chosen: String?) throws -> Void

    private let context: ReloadingContext
    private let wantsCertificate: Bool
    private let watermark: ChannelOptions.Types.WriteBufferWaterMark
    private let accept: Acceptance
    private let logger: Logger

    /// `wantsCertificate` is false where tokens are asked for instead.
    init(
        tls: TLSFiles, speaking protocols: [String], wantsCertificate: Bool = true,
        watermark: ChannelOptions.Types.WriteBufferWaterMark, logger: Logger, accept: @escaping Acceptance
    ) {
        self.wantsCertificate = wantsCertificate
        self.watermark = watermark
        context = ReloadingContext(tls) { try $0.serverContext(speaking: protocols, wantsCertificate: wantsCertificate) }
        self.accept = accept
        self.logger = logger
    }

    func bind(host: String, port: Int, on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let watermark = watermark
        return checkFiles(on: eventLoop).flatMap {
            ServerBootstrap(group: eventLoop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.backlog, value: 1024)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelOption(.writeBufferWaterMark, value: watermark)
                .childChannelInitializer { channel in bound.value.initialize(channel) }
                .bind(host: host, port: port)
        }
    }

    /// Fails at once when the files do not make a TLS identity.
    private func checkFiles(on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        let context = context
        return NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { _ = try context.current() }
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        let context = context
        let tls = NIOThreadPool.singleton.runIfActive(eventLoop: channel.eventLoop) { try context.current() }
        return tls.assumeIsolated().flatMapThrowing { tls in
            let gate = HandshakeGate(
                onReady: { chosen in
                    let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate()
                    if self.wantsCertificate, certificate == nil { throw HandshakeFailure.noClientCertificate }
                    try self.accept(channel, try certificate?.toDERBytes(), chosen)
                },
                onFailure: { error in
                    self.logger.info(
                        "a handshake failed",
                        metadata: ["peer": "\(channel.remoteAddress?.description ?? "?")", "error": "\(error)"])
                })
            try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: tls), gate])
        }.flatMapErrorThrowing { error in
            self.logger.error("a connection cannot be served", metadata: ["error": "\(error)"])
            throw error
        }.nonisolated()
    }
}
