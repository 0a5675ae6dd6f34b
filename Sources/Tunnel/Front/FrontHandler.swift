import Logging
import NIOCore

/// The server's side of one front connection: reads the CONNECT, has the target dialled, answers, and steps aside for a `RelayEnd`.
final class FrontHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    static let headerTime = TimeAmount.seconds(10)

    private enum Phase {
        case readingHeader(ConnectRequest)
        case dialing(FrontDial)
        case answered
    }

    private let dialer: any Dialer
    private let limits: FrontLimits
    private let isPlain: Bool
    private let counters: TunnelCounters
    private let logger: Logger
    private var context: ChannelHandlerContext?
    private var phase = Phase.readingHeader(ConnectRequest())
    private var deadline: Scheduled<Void>?
    /// What came behind the header before the answer; kept by the kernel's socket buffer alone, as reading is on demand.
    private var early: [ByteBuffer] = []
    private var inputClosed = false

    init(dialer: any Dialer, limits: FrontLimits, isPlain: Bool, counters: TunnelCounters, logger: Logger) {
        self.dialer = dialer
        self.isPlain = isPlain
        self.limits = limits
        self.counters = counters
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // Behind TLS the channel has long been active.
        if context.channel.isActive { start(context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        start(context)
        context.fireChannelActive()
    }

    private func start(_ context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.headerTime) {
            let seconds = Self.headerTime.nanoseconds / 1_000_000_000
            self.refuse(context, .init(status: 408, reason: "no complete CONNECT within \(seconds) s"))
        }
        limits.came(self)
        context.read()
    }

    /// Others need the room.
    func evict() {
        guard let context else { return }
        refuse(context, .init(status: 408, reason: "too many connections without a CONNECT"))
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
        limits.spoke(self)
        let last = phase
        phase = .answered
        if case .dialing(let dial) = last { dial.abandon() }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func dial(_ context: ChannelHandlerContext, _ target: Endpoint) {
        deadline?.cancel()
        limits.spoke(self)
        let dial = FrontDial(limits: limits, counters: counters) { result in
            switch result {
            case .success(let far): self.relay(context, far)
            case .failure(let failure): self.answer(context, failure)
            }
        }
        do {
            try dial.start(target, through: dialer) { context.eventLoop.assumeIsolated().scheduleTask(in: $0, $1) }
            phase = .dialing(dial)
        } catch {
            answer(context, error)
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ failure: DialFailure) {
        counters.frontsRefused.add(1)
        answer(context, failure)
    }

    private func answer(_ context: ChannelHandlerContext, _ failure: DialFailure) {
        deadline?.cancel()
        limits.spoke(self)
        logger.debug("refused a connection", metadata: ["status": "\(failure.status)", "reason": "\(failure.reason)"])
        phase = .answered
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: ConnectAnswer.failure(failure)))).assumeIsolated().whenComplete { _ in
            context.close(promise: nil)
        }
    }

    private func relay(_ context: ChannelHandlerContext, _ far: any RelayEnd) {
        phase = .answered
        limits.opened()
        let (counters, limits) = (counters, limits)
        context.channel.closeFuture.assumeIsolated().whenComplete { _ in limits.closed() }

        let end = SocketEnd(isPlain: isPlain) { counters.bytesToNodes.add($0) }
        let gate = AnswerGate { far.link(to: end) }
        do {
            try context.pipeline.syncOperations.addHandlers([gate, end], position: .after(self))
        } catch {
            // The channel is gone.
            far.partnerReset()
            return
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: ConnectAnswer.established)), promise: nil)
        end.link(to: far)
        for buffer in early { context.fireChannelRead(wrapInboundOut(buffer)) }
        early = []
        context.fireChannelReadComplete()
        if inputClosed { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        gate.start()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
