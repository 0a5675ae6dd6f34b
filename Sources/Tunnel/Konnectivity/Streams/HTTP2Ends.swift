import NIOCore
import NIOHTTP2

/// Behind TLS on every connection that speaks with gRPC: HTTP/2, signs of life, and the end of it all.
enum HTTP2Ends {
    /// `onEnd` is told that the other end takes no new calls, and of the end with the first error that was seen.
    static func install(
        on channel: any Channel, mode: NIOHTTP2Handler.ParserMode, patience: Liveness.Patience?,
        onEvent: @escaping (ConnectionEvents.Event) -> Void, inboundStream: @escaping (any Channel) throws -> Void
    ) throws -> NIOHTTP2Handler.StreamMultiplexer {
        let initialize = NIOLoopBound(inboundStream, eventLoop: channel.eventLoop)
        let http2 = NIOHTTP2Handler(
            mode: mode, eventLoop: channel.eventLoop, connectionConfiguration: KonnectivityProtocol.connectionConfiguration,
            streamConfiguration: KonnectivityProtocol.streamConfiguration
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(.autoRead, value: false)
                try initialize.value(stream)
            }
        }
        var isServer: Bool { if case .server = mode { true } else { false } }
        let cutter = FrameCutter(boundaries: FrameBoundaries(afterPreface: isServer))
        try channel.pipeline.syncOperations.addHandlers([
            cutter, http2, ConnectionEvents(heard: cutter, patience: patience, onEvent: onEvent),
        ])
        return try http2.syncMultiplexer()
    }
}

/// Last in the pipeline of an HTTP/2 connection: pings a silent peer, and hears goodbyes, errors and the end.
final class ConnectionEvents: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    enum Event {
        case leaving(String)
        case closed((any Error)?)
    }

    private let heard: FrameCutter
    private let patience: Liveness.Patience?
    private var liveness: Liveness
    private var onEvent: (Event) -> Void
    private var firstError: (any Error)?
    private var timer: RepeatedTask?

    init(heard: FrameCutter, patience: Liveness.Patience?, onEvent: @escaping (Event) -> Void) {
        self.heard = heard
        self.patience = patience
        liveness = Liveness(now: heard.lastHeard, patience: patience ?? .usual, measuring: false)
        self.onEvent = onEvent
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard let patience else { return }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleRepeatedTask(initialDelay: patience.ping, delay: patience.lookInterval) { _ in
            let (handler, context) = bound.value
            handler.look(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .goAway(_, let code, let words) = unwrapInboundIn(data).payload else { return }
        let text = words.map { String(buffer: $0) } ?? ""
        onEvent(.leaving(text.isEmpty ? "\(code)" : OneLine.clean(text)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An error of one call is that call's affair.
        if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream { return }
        if firstError == nil { firstError = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        onEvent(.closed(firstError))
        onEvent = { _ in }
        context.fireChannelInactive()
    }

    private func look(_ context: ChannelHandlerContext) {
        liveness.heard(at: heard.lastHeard)
        switch liveness.look(at: .now()) {
        case .wait: break
        case .ping(let token):
            let ping = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: token), ack: false))
            context.writeAndFlush(wrapOutboundOut(ping), promise: nil)
        case .dead(let seconds): errorCaught(context: context, error: PeerSilent(seconds: seconds))
        }
    }
}
