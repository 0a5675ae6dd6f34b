import NIOCore
import NIOHTTP2
import NIOSSL
import NIOTLS

/// What both ends of a native connection do once TLS is up: HTTP/2, liveness, and the end of it all.
enum NativeSession {
    /// Adds the handlers behind TLS.
    static func install(
        on channel: any Channel, mode: NIOHTTP2Handler.ParserMode, onEnd: @escaping (NativeSessionEnd.Event) -> Void,
        inboundStream: @escaping NIOChannelInitializer
    ) throws -> NIOHTTP2Handler.StreamMultiplexer {
        let http2 = NIOHTTP2Handler(
            mode: mode, eventLoop: channel.eventLoop, connectionConfiguration: NativeProtocol.connectionConfiguration,
            streamConfiguration: NativeProtocol.streamConfiguration, inboundStreamInitializer: inboundStream)
        let heardFrom = HeardFrom()
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandlers([heardFrom, http2, Liveness(heardFrom: heardFrom), NativeSessionEnd(onEvent: onEnd)])
        return try http2.syncMultiplexer()
    }
}

/// Last in the pipeline of a native connection: hears goodbyes, errors and the end.
final class NativeSessionEnd: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    enum Event {
        /// The other end takes no new streams, with its words.
        case leaving(String)
        /// The connection is over, with the first error that was seen.
        case closed((any Error)?)
    }

    private let onEvent: (Event) -> Void
    private var firstError: (any Error)?

    init(onEvent: @escaping (Event) -> Void) { self.onEvent = onEvent }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .goAway(_, let code, let words) = unwrapInboundIn(data).payload else { return }
        let text = words.map { String(buffer: $0) } ?? ""
        onEvent(.leaving(text.isEmpty ? "\(code)" : OneLine.clean(text)))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // An error of one stream is that stream's affair.
        if error is NIOHTTP2Errors.StreamError || error is NIOHTTP2Errors.NoSuchStream { return }
        if firstError == nil { firstError = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        onEvent(.closed(firstError))
        context.fireChannelInactive()
    }
}

/// Waits for TLS, and makes way for what the protocol that was agreed on needs.
final class HandshakeGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let onReady: (any Channel) throws -> Void
    private let onFailure: (any Error) -> Void
    private var deadline: Scheduled<Void>?
    private var isOver = false

    init(onReady: @escaping (any Channel) throws -> Void, onFailure: @escaping (any Error) -> Void) {
        self.onReady = onReady
        self.onFailure = onFailure
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: NativeProtocol.handshakeTimeout) {
            let (gate, context) = bound.value
            gate.fail(context, HandshakeFailure.timeout)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let chosen)? = event as? TLSUserEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        guard chosen == NativeProtocol.applicationProtocol else {
            fail(context, HandshakeFailure.otherProtocol(chosen))
            return
        }
        do {
            try onReady(context.channel)
            isOver = true
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        } catch {
            fail(context, error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(context, HandshakeFailure.closed)
        context.fireChannelInactive()
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        deadline?.cancel()
        guard !isOver else { return }
        isOver = true
        onFailure(error)
        context.close(promise: nil)
    }
}

/// Why a connection did not get as far as HTTP/2.
enum HandshakeFailure: Error, CustomStringConvertible {
    case timeout
    case closed
    case otherProtocol(String?)

    var description: String {
        switch self {
        case .timeout: "TLS was not up within \(NativeProtocol.handshakeTimeout.nanoseconds / 1_000_000_000) s"
        case .closed: "the other end closed the connection during the handshake"
        case .otherProtocol(let name): "the other end speaks \(name ?? "no protocol by ALPN"), not \(NativeProtocol.applicationProtocol)"
        }
    }
}
