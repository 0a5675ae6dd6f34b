import NIOCore
import NIOHPACK
import NIOHTTP2

/// Between an HTTP/2 stream and a `RelayEnd`: DATA frames are bytes, END_STREAM is a half-close, headers go to `onHeaders`.
final class StreamBytes: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = HTTP2Frame.FramePayload

    /// What the headers of the other end mean for this one.
    enum Verdict {
        case proceed
        /// Nothing is to come from here: end the stream.
        case end
    }

    private let opening: HPACKHeaders?
    private var context: ChannelHandlerContext?
    private var onHeaders: ((HPACKHeaders) -> Verdict)?
    private var onInactive: (() -> Void)?

    /// `opening` is sent as soon as the stream is there; `onHeaders` is called once.
    init(opening: HPACKHeaders? = nil, onHeaders: @escaping (HPACKHeaders) -> Verdict, onInactive: (() -> Void)? = nil) {
        self.opening = opening
        self.onHeaders = onHeaders
        self.onInactive = onInactive
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    /// Answers the other end's headers.
    func send(_ headers: HPACKHeaders, endStream: Bool = false) {
        context?.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: endStream))), promise: nil)
    }

    func channelActive(context: ChannelHandlerContext) {
        if let opening { send(opening) }
        context.fireChannelActive()
        // For the headers; what follows them is read on demand.
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if let first = onHeaders {
                onHeaders = nil
                if first(frame.headers) == .end { close(context: context, mode: .output, promise: nil) }
            }
            if frame.endStream { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        case .data(let frame):
            if case .byteBuffer(let buffer) = frame.data { context.fireChannelRead(wrapInboundOut(buffer)) }
            if frame.endStream { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        default:
            // RST_STREAM arrives as an error and the end of the channel; the rest does not concern a tunnelled connection.
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        onHeaders = nil
        onInactive?()
        onInactive = nil
        context.fireChannelInactive()
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let payload = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(unwrapOutboundIn(data))))
        context.write(wrapOutboundOut(payload), promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else {
            context.close(mode: mode, promise: promise)
            return
        }
        let end = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        context.writeAndFlush(wrapOutboundOut(end), promise: promise)
    }
}
