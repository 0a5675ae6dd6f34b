import NIOCore

/// Holds the target's first bytes back until the one who asked has read the answer.
///
/// kube-apiserver fails a dial when bytes stand behind the `200` in what it reads first, and two writes to a stream socket may well
/// be read as one. A target that speaks first (SSH, databases) makes that happen. The gate opens when the client has spoken, which
/// it does after it read the answer, or when the kernel says that nothing written to the socket is unread. No clock opens it: on a busy
/// computer a client may take seconds to read, and what it has not read is not lost.
final class AnswerGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private static let firstLook = TimeAmount.microseconds(500)
    /// Doubled after each look that found the answer unread, up to this.
    private static let longestPause = TimeAmount.milliseconds(500)

    private var open: (() -> Void)?
    private var context: ChannelHandlerContext?

    /// `open` lets the target's bytes come.
    init(open: @escaping () -> Void) { self.open = open }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(data)
        pass()
    }

    func channelInactive(context: ChannelHandlerContext) {
        context.fireChannelInactive()
        // The far end must learn that this one is gone, and does so through the link.
        pass()
    }

    /// Begins to look, unless the client has already spoken.
    func start() {
        guard open != nil, let context else { return }
        look(context, after: Self.firstLook)
    }

    private func look(_ context: ChannelHandlerContext, after delay: TimeAmount) {
        context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            guard self.open != nil, let context = self.context else { return }
            guard let options = context.channel as? any SocketOptionProvider else {
                self.pass()
                return
            }
            options.unsafeGetSocketOption(level: SocketMemory.level, name: SocketMemory.name).assumeIsolated().whenComplete {
                (result: Result<SocketMemory, any Error>) in
                if case .success(let memory) = result, memory.unread > 0 {
                    self.look(context, after: min(delay * 2, Self.longestPause))
                } else {
                    self.pass()
                }
            }
        }
    }

    private func pass() {
        guard let open else { return }
        self.open = nil
        open()
        if let context { context.pipeline.syncOperations.removeHandler(self, promise: nil) }
    }
}

/// `SO_MEMINFO`: the kernel's accounts of a socket. Bytes of a Unix stream socket count as the writer's until the reader took them.
private struct SocketMemory: Sendable {
    static let level = NIOBSDSocket.OptionLevel.socket
    static let name = NIOBSDSocket.Option(rawValue: 55)

    private var accounts: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0, 0, 0)

    var unread: UInt32 { accounts.2 }
}
