import NIOCore

/// Decodes the control messages of a stream.
final class ControlReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let onActive: ((any Channel) -> Void)?
    private let onMessage: (ControlMessage) -> Void
    private let onFailure: (any Error) -> Void
    private var decoder = ControlDecoder()
    private var failed = false

    init(
        onActive: ((any Channel) -> Void)? = nil, onMessage: @escaping (ControlMessage) -> Void,
        onFailure: @escaping (any Error) -> Void
    ) {
        self.onActive = onActive
        self.onMessage = onMessage
        self.onFailure = onFailure
    }

    func channelActive(context: ChannelHandlerContext) {
        onActive?(context.channel)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !failed else { return }
        do {
            for message in try decoder.append(unwrapInboundIn(data).readableBytesView) { onMessage(message) }
        } catch {
            failed = true
            onFailure(error)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
