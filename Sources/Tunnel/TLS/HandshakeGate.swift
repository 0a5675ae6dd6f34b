import NIOCore
import NIOTLS

/// Waits for TLS, and makes way for what the protocol needs that was agreed on.
final class HandshakeGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let onReady: (String?) throws -> Void
    private let onFailure: (any Error) -> Void
    private var deadline: Scheduled<Void>?
    private var isOver = false

    /// `onReady` gets the protocol that ALPN chose and adds its handlers; what it throws is a failure.
    init(onReady: @escaping (String?) throws -> Void, onFailure: @escaping (any Error) -> Void) {
        self.onReady = onReady
        self.onFailure = onFailure
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.assumeIsolated().scheduleTask(in: NativeProtocol.handshakeTimeout) {
            self.fail(context, HandshakeFailure.timeout)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let chosen)? = event as? TLSUserEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        do {
            try onReady(chosen)
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

/// Why a connection did not get as far as the tunnel's protocol.
enum HandshakeFailure: Error, CustomStringConvertible {
    case timeout
    case closed
    case noClientCertificate
    case otherProtocol(String?)

    var description: String {
        switch self {
        case .timeout: "TLS was not up within \(NativeProtocol.handshakeTimeout.nanoseconds / 1_000_000_000) s"
        case .closed: "the other end closed the connection during the handshake"
        case .noClientCertificate: "the other end showed no certificate"
        case .otherProtocol(let name): "the other end speaks \(name ?? "no protocol by ALPN"), not \(NativeProtocol.applicationProtocol)"
        }
    }
}
