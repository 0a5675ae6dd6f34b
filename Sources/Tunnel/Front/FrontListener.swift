import Logging
import NIOCore
import NIOPosix

/// Listens for kube-apiserver. On the tunnel's event loop.
final class FrontListener {
    private let listening: FrontListening
    private let dialer: any Dialer
    private let limits: FrontLimits
    private let counters: TunnelCounters
    private let logger: Logger

    init(_ listening: FrontListening, dialer: any Dialer, limits: FrontLimits, counters: TunnelCounters, logger: Logger) {
        self.listening = listening
        self.dialer = dialer
        self.limits = limits
        self.counters = counters
        self.logger = logger
    }

    func bind(on eventLoop: any EventLoop) -> EventLoopFuture<any Channel> {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        switch listening.address {
        case .unix(let path):
            return ServerBootstrap(group: eventLoop)
                .serverChannelOption(.backlog, value: 1024)
                .childChannelOption(.writeBufferWaterMark, value: SocketEnd.watermark)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try bound.value.serve(channel, isPlain: true) }
                }
                .bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true)
        case .tcp(let host, let port, let tls):
            // kube-apiserver offers no protocol by ALPN for CONNECT; a gRPC client wants h2.
            return TLSListener(tls: tls, speaking: ["h2", "http/1.1"], watermark: SocketEnd.watermark, logger: logger) { channel, _, _ in
                try channel.pipeline.syncOperations.addHandler(SocketReset(), position: .first)
                try bound.value.serve(channel, isPlain: false)
            }.bind(host: host, port: port, on: eventLoop)
        }
    }

    private func serve(_ channel: any Channel, isPlain: Bool) throws {
        switch listening.speaking {
        case .httpConnect:
            let options = channel.syncOptions
            try options?.setOption(.autoRead, value: false)
            try options?.setOption(.allowRemoteHalfClosure, value: true)
            try options?.setOption(.maxMessagesPerRead, value: SocketEnd.readsPerTurn)
            try options?.setOption(.recvAllocator, value: SocketEnd.readBuffers)
            try channel.pipeline.syncOperations.addHandler(
                FrontHandler(dialer: dialer, limits: limits, isPlain: isPlain, counters: counters, logger: logger))
        case .grpc:
            // HTTP/2 has a window for each call.
            try ProxyService(dialer: dialer, limits: limits, counters: counters, logger: logger).serve(channel)
        }
    }
}
