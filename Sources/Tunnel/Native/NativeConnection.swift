import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2
import Synchronization

/// The server's end of one agent's native connection: opens a CONNECT stream for each dial, and the control stream.
final class NativeConnection: NodeConnection {
    let id: UInt64
    let identity: AgentIdentity
    private let channel: any Channel
    private let multiplexer: NIOHTTP2Handler.StreamMultiplexer
    private let counters: TunnelCounters
    private let logger: Logger
    private let closing = Atomic<Bool>(false)
    private let control: Mutex<ControlPublication>

    init(
        id: UInt64, identity: AgentIdentity, channel: any Channel, multiplexer: NIOHTTP2Handler.StreamMultiplexer,
        counters: TunnelCounters, logger: Logger
    ) {
        self.id = id
        self.identity = identity
        self.channel = channel
        self.multiplexer = multiplexer
        self.counters = counters
        self.logger = logger
        control = Mutex(ControlPublication())
    }

    var isClosing: Bool { closing.load(ordering: .relaxed) || !channel.isActive }

    /// The agent said that it takes no new streams.
    func agentIsLeaving() { closing.store(true, ordering: .relaxed) }

    var publication: ControlPublication { control.withLock { $0 } }

    // MARK: Dials

    func dial(_ target: Endpoint) -> PendingDial {
        let promise = channel.eventLoop.makePromise(of: RelayPeer.self)
        let stream = channel.eventLoop.makePromise(of: (any Channel).self)
        let counters = counters
        let node = identity.node
        multiplexer.createStreamChannel(promise: stream) { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
                let end = RelayEnd(.stream) { counters.bytesFromNodes.add($0) }
                let peer = RelayPeer(end, on: channel.eventLoop)
                let bytes = StreamBytes(
                    opening: [":method": "CONNECT", ":authority": target.description],
                    onHeaders: { headers in
                        guard headers.first(name: ":status") == "200" else {
                            promise.fail(Self.failure(headers, target: target))
                            return .end
                        }
                        promise.succeed(peer)
                        return .proceed
                    },
                    onInactive: {
                        // Without effect when the answer had come.
                        promise.fail(DialFailure.badGateway("\(target): the connection to the agent of node \(node) was lost"))
                    })
                try channel.pipeline.syncOperations.addHandlers([bytes, end])
            }
        }
        stream.futureResult.whenFailure { error in
            promise.fail(DialFailure.badGateway("\(target): no stream to the agent of node \(node): \(error)"))
        }
        return PendingDial(result: promise.futureResult) {
            stream.futureResult.whenSuccess { $0.close(promise: nil) }
        }
    }

    private static func failure(_ headers: HPACKHeaders, target: Endpoint) -> DialFailure {
        let status = headers.first(name: ":status").flatMap { Int($0) } ?? 502
        let cause = headers.first(name: NativeProtocol.causeHeader) ?? "the agent gave no cause"
        return DialFailure(status: (400...599).contains(status) ? status : 502, reason: "\(target): \(cause)")
    }

    // MARK: Control

    func openControl() {
        let connection = self
        multiplexer.createStreamChannel(promise: nil) { channel in
            channel.eventLoop.makeCompletedFuture {
                let bytes = StreamBytes(
                    opening: [":method": "POST", ":scheme": "https", ":path": NativeProtocol.controlPath, ":authority": "nestbox"],
                    onHeaders: { $0.first(name: ":status") == "200" ? .proceed : .end })
                let reader = ControlReader(
                    onActive: { stream in
                        let news = connection.control.withLock { $0.streamOpened(stream) }
                        if let news { connection.send(news, on: stream) }
                    },
                    onMessage: { connection.received($0) },
                    onFailure: { connection.close(reason: "the control stream could not be followed: \($0)") })
                try channel.pipeline.syncOperations.addHandlers([bytes, reader])
            }
        }
    }

    func publish(_ state: NodeState) {
        let (news, stream) = control.withLock { ($0.publish(state), $0.stream) }
        if let news, let stream { send(news, on: stream) }
    }

    private func send(_ message: ControlMessage, on stream: any Channel) {
        stream.writeAndFlush(ByteBuffer(string: message.text), promise: nil)
    }

    private func received(_ message: ControlMessage) {
        switch message {
        case .confirm(let revision):
            control.withLock { $0.confirmed(revision) }
        case .failed(let revision, let reason):
            logger.warning("the node could not follow its new state", metadata: ["revision": "\(revision)", "reason": "\(reason)"])
            control.withLock { $0.failed(revision, reason: reason) }
        case .state:
            // Only the server says what is.
            break
        }
    }

    // MARK: End

    func close(reason: String) {
        guard !closing.exchange(true, ordering: .relaxed) else { return }
        logger.info("closing an agent's connection", metadata: ["reason": "\(reason)"])
        Self.sayGoodbye(on: channel, reason: reason)
    }

    /// GOAWAY with the reason as its debug data, then the end.
    static func sayGoodbye(on channel: any Channel, reason: String) {
        let goAway = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: ByteBuffer(string: OneLine.clean(reason))))
        channel.writeAndFlush(goAway).whenComplete { _ in channel.close(promise: nil) }
        // A peer that reads nothing does not keep its connection that way.
        channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }
}
