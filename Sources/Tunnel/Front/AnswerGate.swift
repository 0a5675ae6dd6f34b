import NIOCore

/// Holds the target's first bytes back until the one who asked has read the answer.
///
/// kube-apiserver fails a dial when bytes stand behind the `200` in what it reads first, and two writes to a stream socket may well
/// be read as one. A target that speaks first (SSH, databases) makes that happen. The gate opens when the client has spoken, which
/// it does after it read the answer, or when the kernel says that nothing written to the socket is unread.
final class AnswerGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private static let firstLook = TimeAmount.microseconds(500)
    private static let lastLook = TimeAmount.seconds(2)

    /// Lets the target's bytes come.
    var open: (() -> Void)?
    private var context: ChannelHandlerContext?
    private var waited = TimeAmount.nanoseconds(0)
    private let peer: RelayPeer

    init(peer: RelayPeer) { self.peer = peer }

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
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: delay) {
            let gate = bound.value
            guard gate.open != nil, let context = gate.context else { return }
            gate.waited = gate.waited + delay
            guard gate.waited < Self.lastLook, let options = context.channel as? any SocketOptionProvider else {
                gate.pass()
                return
            }
            options.unsafeGetSocketOption(level: SocketMemory.level, name: SocketMemory.name).assumeIsolated().whenComplete {
                (result: Result<SocketMemory, any Error>) in
                if case .success(let memory) = result, memory.unread > 0 {
                    gate.look(context, after: .nanoseconds(min(delay.nanoseconds * 2, 20_000_000)))
                } else {
                    gate.pass()
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
