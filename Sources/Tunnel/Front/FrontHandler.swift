import Logging
import NIOCore

/// The server's side of one front connection: reads the CONNECT, has the target dialled, answers, and steps aside for a `RelayEnd`.
final class FrontHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// kube-apiserver waits for an answer without a limit of its own, so there is one here.
    static let answerTime = TimeAmount.milliseconds(7_500)
    static let headerTime = TimeAmount.seconds(10)

    private enum Phase {
        case readingHeader(ConnectRequest)
        case dialing(Endpoint, PendingDial)
        case answered
    }

    private let dialer: any Dialer
    private let counters: TunnelCounters
    private let logger: Logger
    private var phase = Phase.readingHeader(ConnectRequest())
    private var deadline: Scheduled<Void>?
    /// What came behind the header before the answer; kept by the kernel's socket buffer alone, as reading is on demand.
    private var early: [ByteBuffer] = []
    private var inputClosed = false

    init(dialer: any Dialer, counters: TunnelCounters, logger: Logger) {
        self.dialer = dialer
        self.counters = counters
        self.logger = logger
    }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: Self.headerTime) {
            let (handler, context) = bound.value
            let seconds = Self.headerTime.nanoseconds / 1_000_000_000
            handler.refuse(context, .init(status: 408, reason: "no complete CONNECT within \(seconds) s"))
        }
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        guard case .readingHeader(var request) = phase else {
            early.append(buffer)
            return
        }
        let taken = request.append(buffer.readableBytesView)
        buffer.moveReaderIndex(forwardBy: taken)
        if buffer.readableBytes > 0 { early.append(buffer) }
        phase = .readingHeader(request)
        switch request.outcome {
        case .incomplete: break
        case .failure(let failure): refuse(context, failure)
        case .target(let target): dial(context, target)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if case .readingHeader = phase { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent {
            inputClosed = true
            if case .readingHeader = phase { context.close(promise: nil) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        let last = phase
        // First, as cancelling may give the dial's result at once, when both are on one event loop.
        phase = .answered
        if case .dialing(_, let pending) = last {
            counters.dialsAbandoned.add(1)
            pending.cancel()
        }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func dial(_ context: ChannelHandlerContext, _ target: Endpoint) {
        deadline?.cancel()
        let pending = dialer.dial(target, on: context.eventLoop)
        phase = .dialing(target, pending)
        counters.dialsPending.add(1)
        let counters = counters
        pending.result.whenComplete { _ in counters.dialsPending.add(-1) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: Self.answerTime) {
            let (handler, context) = bound.value
            guard case .dialing(let target, let pending) = handler.phase else { return }
            handler.refuse(context, .timeout("\(target): the node's agent did not answer in time"))
            pending.cancel()
        }
        pending.result.hop(to: context.eventLoop).whenComplete { result in
            let (handler, context) = bound.value
            handler.dialed(context, target, result)
        }
    }

    private func dialed(_ context: ChannelHandlerContext, _ target: Endpoint, _ result: Result<RelayPeer, any Error>) {
        guard case .dialing = phase else {
            // The answer came too late: a connection that nobody wants any more.
            if case .success(let peer) = result { peer.call { $0.partnerReset() } }
            return
        }
        deadline?.cancel()
        switch result {
        case .success(let peer):
            relay(context, peer)
        case .failure(let failure as DialFailure):
            refuse(context, failure)
        case .failure(let error):
            refuse(context, .badGateway("\(target): \(error)"))
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ failure: DialFailure) {
        deadline?.cancel()
        if case .dialing = phase { counters.dialsFailed.add(1) } else { counters.frontsRefused.add(1) }
        logger.debug("refused a connection", metadata: ["status": "\(failure.status)", "reason": "\(failure.reason)"])
        phase = .answered
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: ConnectAnswer.failure(failure)))).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    private func relay(_ context: ChannelHandlerContext, _ peer: RelayPeer) {
        phase = .answered
        counters.dialsSucceeded.add(1)
        counters.connectionsOpen.add(1)
        let counters = counters
        context.channel.closeFuture.whenComplete { _ in counters.connectionsOpen.add(-1) }

        let end = RelayEnd(.socket) { counters.bytesToNodes.add($0) }
        let gate = AnswerGate(peer: peer)
        do {
            try context.pipeline.syncOperations.addHandlers([gate, end], position: .after(self))
        } catch {
            // The channel is gone.
            peer.call { $0.partnerReset() }
            return
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: ConnectAnswer.established)), promise: nil)
        let mine = RelayPeer(end, on: context.eventLoop)
        gate.open = { peer.call { $0.link(to: mine) } }
        end.link(to: peer)
        for buffer in early { context.fireChannelRead(wrapInboundOut(buffer)) }
        early = []
        context.fireChannelReadComplete()
        if inputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        gate.start()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
