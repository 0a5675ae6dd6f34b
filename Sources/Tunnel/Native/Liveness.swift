import NIOCore
import NIOHTTP2

/// When the other end was last heard of: stands below HTTP/2, so that any byte counts.
final class HeardFrom: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var last = NIODeadline.now()

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        last = .now()
        context.fireChannelRead(data)
    }
}

/// Pings the other end and closes the connection when nothing comes back: a peer that lost its power sends no FIN.
final class Liveness: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let heardFrom: HeardFrom
    private let interval: TimeAmount
    private let limit: TimeAmount
    private var timer: RepeatedTask?

    init(heardFrom: HeardFrom, interval: TimeAmount = NativeProtocol.pingInterval, limit: TimeAmount = NativeProtocol.silenceLimit) {
        self.heardFrom = heardFrom
        self.interval = interval
        self.limit = limit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        // The first look comes after a part of the interval, so that a silence is noticed within limit + interval / 4.
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: .nanoseconds(interval.nanoseconds / 4)) { _ in
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    private var lastPing = NIODeadline.distantPast

    private func look(_ context: ChannelHandlerContext) {
        let now = NIODeadline.now()
        let silence = now - heardFrom.last
        if silence >= limit {
            context.fireErrorCaught(PeerSilent(seconds: Int(silence.nanoseconds / 1_000_000_000)))
            context.close(promise: nil)
        } else if silence >= .nanoseconds(interval.nanoseconds / 2), now - lastPing >= interval {
            lastPing = now
            let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0), ack: false))
            context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
        }
    }
}

/// The other end of a connection stopped answering.
struct PeerSilent: Error, CustomStringConvertible {
    var seconds: Int
    var description: String { "nothing was heard from the other end for \(seconds) s" }
}
