import Logging
import NIOCore
import NIOPosix
import NIOSSL

/// Keeps this server connected to one peer. On the tunnel's event loop only.
final class PeerLink {
    let peer: Peer
    private(set) var connection: PeerConnection?
    private let context: ReloadingContext
    private let serverName: String
    private let counters: TunnelCounters
    private let logger: Logger
    private let nextID: () -> UInt64
    private let eventLoop: any EventLoop
    private var backoff = ReconnectBackoff()
    private var generator = SystemRandomNumberGenerator()
    private var retry: Scheduled<Void>?
    private var lastProblem = ""
    private var isStopped = false

    init(
        to peer: Peer, context: ReloadingContext, serverName: String, counters: TunnelCounters, logger: Logger, eventLoop: any EventLoop,
        nextID: @escaping () -> UInt64
    ) {
        self.peer = peer
        self.context = context
        self.serverName = serverName
        self.counters = counters
        self.eventLoop = eventLoop
        self.nextID = nextID
        var logger = logger
        logger[metadataKey: "peer"] = "\(peer.endpoint)"
        self.logger = logger
        connect()
    }

    /// The peer is no more, or this server ends.
    func stop(reason: String) {
        isStopped = true
        retry?.cancel()
        connection?.close(reason: reason)
    }

    private func connect() {
        let context = context
        let tls = NIOThreadPool.singleton.runIfActive(eventLoop: eventLoop) { try context.current() }
        tls.assumeIsolated().whenComplete { result in
            guard !self.isStopped else { return }
            switch result {
            case .success(let tls): self.connect(tls)
            case .failure(let error): self.failed(error)
            }
        }
    }

    private func connect(_ tls: NIOSSLContext) {
        let link = NIOLoopBound(self, eventLoop: eventLoop)
        let serverName = serverName
        ClientBootstrap(group: eventLoop)
            .connectTimeout(NativeProtocol.dialTimeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: NativeProtocol.connectionWatermark)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let gate = HandshakeGate(
                        onReady: { chosen in
                            guard chosen == PeerProtocol.applicationProtocol else { throw HandshakeFailure.otherProtocol(chosen) }
                            try link.value.connected(channel)
                        },
                        onFailure: { link.value.failed($0) })
                    let handler = try NIOSSLClientHandler(context: tls, serverHostname: serverName)
                    try channel.pipeline.syncOperations.addHandlers([handler, gate])
                }
            }
            .connect(host: peer.endpoint.host, port: peer.endpoint.port)
            .assumeIsolated().whenFailure { self.failed($0) }
    }

    private func connected(_ channel: any Channel) throws {
        var made: PeerConnection?
        let began = NIODeadline.now()
        let carrier = Carrier(counters: counters) { event in
            switch event {
            case .asked(let stream, _): stream.refuse(.forbidden("the peer is asked, and does not ask"))
            case .control(let message): made?.received(message)
            case .leaving: made?.peerIsLeaving()
            case .closed(let error):
                made = nil
                self.connection = nil
                self.backoff.ended(after: .nanoseconds((.now() - began).nanoseconds))
                self.logger.info("lost a peer", metadata: ["cause": "\(error.map { "\($0)" } ?? "closed")"])
                self.retryLater()
            }
        }
        let connection = PeerConnection(id: nextID(), carrier: carrier, counters: counters)
        made = connection
        try channel.pipeline.syncOperations.addHandler(carrier)
        guard !isStopped else { return connection.close(reason: "the server is stopping") }
        self.connection = connection
        lastProblem = ""
        logger.info("connected to a peer")
    }

    private func failed(_ error: any Error) {
        // Said once, not at every attempt.
        if lastProblem != "\(error)" { logger.warning("could not connect to a peer", metadata: ["error": "\(error)"]) }
        lastProblem = "\(error)"
        backoff.failed()
        retryLater()
    }

    private func retryLater() {
        guard !isStopped else { return }
        retry?.cancel()
        retry = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(backoff.delay(using: &generator))) { self.connect() }
    }
}
