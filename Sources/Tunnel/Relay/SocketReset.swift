import Glibc
import NIOCore

/// First in a pipeline with TLS: closes the socket so that the other side sees a reset.
///
/// Closed through TLS, a connection that broke off would look like one that ended well.
final class SocketReset: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    /// The event that asks for it.
    struct Request: Sendable {}

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        guard event is Request else { return context.triggerUserOutboundEvent(event, promise: promise) }
        Self.reset(context)
        promise?.succeed()
    }

    static func reset(_ context: ChannelHandlerContext) {
        if let options = context.channel as? any SocketOptionProvider {
            // Without lingering the kernel sends RST, so that the other side knows that the data broke off.
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        context.close(promise: nil)
    }
}
