import Logging
import NIOCore

/// Keeps this server connected to one peer. On the tunnel's event loop only.
final class PeerLink {
    let peer: Peer
    private(set) var connection: PeerConnection?
    private let dialer: TLSDialer
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
        to peer: Peer, dialer: TLSDialer, serverName: String, counters: TunnelCounters, logger: Logger, eventLoop: any EventLoop,
        nextID: @escaping () -> UInt64
    ) {
        self.peer = peer
        self.dialer = dialer
        self.serverName = serverName
        self.counters = counters
        self.eventLoop = eventLoop
        self.nextID = nextID
        var logger = logger
        logger[metadataKey: "peer"] = "\(peer.endpoint)"
        self.logger = logger
        connect()
    }

    /// The peer is no longer one of those that stay. One that said so is let go by itself, and carries on until then: its agents may
    /// know no other server yet.
    func retire() {
        guard connection?.isLeaving == true else { return stop(reason: "no longer a peer") }
        isStopped = true
    }

    /// The peer is no more, or this server ends.
    func stop(reason: String) {
        isStopped = true
        retry?.cancel()
        connection?.close(reason: reason)
    }

    private func connect() {
        let link = NIOLoopBound(self, eventLoop: eventLoop)
        let connected: EventLoopFuture<Void> = dialer.dial(peer.endpoint, serverName: serverName, on: eventLoop) { channel, chosen, ready in
            guard chosen == PeerProtocol.applicationProtocol else { throw HandshakeFailure.otherProtocol(chosen) }
            try link.value.connected(channel)
            ready.succeed()
        }
        connected.assumeIsolated().whenFailure { self.failed($0) }
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
