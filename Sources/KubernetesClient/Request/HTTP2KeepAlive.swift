import NIOCore
import NIOHTTP2

/// Asks an HTTP/2 peer at intervals whether it is there, and closes the connection of one that does not answer.
///
/// A quiet watch on a dead connection looks like a quiet watch; the HTTP client itself sends no PING.
final class HTTP2KeepAlive: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let interval: TimeAmount
    private let timeout: TimeAmount
    private var sequence: UInt64 = 0
    private var unanswered: UInt64?
    private var scheduled: Scheduled<Void>?

    init(interval: TimeAmount, timeout: TimeAmount) {
        self.interval = interval
        self.timeout = timeout
    }

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { scheduleNext(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        scheduleNext(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        scheduled?.cancel()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) { scheduled?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        if case .ping(let answer, ack: true) = frame.payload, unanswered == UInt64(withHTTP2PingData: answer) {
            unanswered = nil
            scheduled?.cancel()
            scheduleNext(context)
        }
        context.fireChannelRead(data)
    }

    private func scheduleNext(_ context: ChannelHandlerContext) {
        scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: interval) { [self] in ping(context) }
    }

    private func ping(_ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        sequence += 1
        unanswered = sequence
        let frame = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: sequence), ack: false))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        scheduled = context.eventLoop.assumeIsolated().scheduleTask(in: timeout) { context.close(promise: nil) }
    }
}

extension UInt64 {
    fileprivate init(withHTTP2PingData data: HTTP2PingData) { self = data.integer }
}
