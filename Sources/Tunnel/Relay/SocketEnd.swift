import Glibc
import NIOCore

/// The end of a relay at a socket: the shell around `RelayState`.
///
/// It stands last in its channel's pipeline, with reading on demand (`autoRead` off).
package final class SocketEnd: ChannelInboundHandler, RelayEnd {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// How long a socket whose partner is gone may stay half open: Linux's own limit for a socket in that state.
    static let orphanTime = TimeAmount.seconds(60)

    /// Whether the channel has no TLS.
    private let isPlain: Bool
    private let countReceived: ((Int) -> Void)?
    private var socket: NIOBSDSocket.Handle?
    /// NIO keeps a channel's read buffer for the next read, as large as it has grown. While the first, a small one, is held here it
    /// takes a new one for each read instead, so that a connection that rests holds nothing.
    private var firstRead: ByteBuffer?
    private var queuedWrites = 0
    private var state = RelayState()
    private var isBroken = false
    private var context: ChannelHandlerContext?
    private var partner: (any RelayEnd)?
    private var batch: [ByteBuffer] = []
    private var orphanTimer: Scheduled<Void>?

    /// `countReceived` is told how many bytes were read at this end.
    package init(isPlain: Bool = true, countReceived: ((Int) -> Void)? = nil) {
        self.isPlain = isPlain
        self.countReceived = countReceived
    }

    /// How sockets of relays are read: one buffer a turn, which grows with the traffic.
    package static let readsPerTurn: UInt = 1
    package static let readBuffers = AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 512, maximum: 128 * 1024)
    package static let watermark = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func handlerRemoved(context: ChannelHandlerContext) {
        perform(state.becameInactive(broken: isBroken))
        self.context = nil
    }

    // MARK: The channel

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if firstRead == nil { firstRead = buffer }
        guard buffer.readableBytes > 0 else { return }
        let (keep, actions) = state.received()
        if keep {
            countReceived?(buffer.readableBytes)
            batch.append(buffer)
        }
        perform(actions)
    }

    package func channelReadComplete(context: ChannelHandlerContext) { perform(state.readCompleted()) }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard context.channel.isWritable else { return }
        perform(state.becameWritable())
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .inputClosed? = event as? ChannelEvent { perform(state.inputClosed()) }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        orphanTimer?.cancel()
        perform(state.becameInactive(broken: isBroken))
        // Break the cycle of the two ends.
        partner = nil
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Every error here (a reset stream, a broken socket) ends the channel; the partner is told when it is inactive.
        isBroken = true
        context.close(promise: nil)
    }

    // MARK: The partner

    package func link(to partner: any RelayEnd) {
        self.partner = partner
        perform(state.link())
    }

    package func partnerSent(_ batch: [ByteBuffer]) {
        guard let context else { return }
        let unwritten = queuedWrites == 0 ? writePlainly(batch[...], context) : batch[...]
        queue(unwritten, context)
        perform(state.wroteBatch(isWritable: context.channel.isWritable))
    }

    package var unwrittenBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    package func partnerTook(_ batches: Int) { perform(state.partnerTook(batches)) }
    package func partnerFinished() { perform(state.partnerFinished()) }
    package func partnerGone() { perform(state.partnerGone()) }
    package func partnerReset() { perform(state.partnerReset()) }

    // MARK: Actions

    private func perform(_ actions: RelayActions) {
        guard !actions.isEmpty, let context else { return }
        if actions.contains(.forwardBatch) {
            let buffers = batch
            batch = []
            partner?.partnerSent(buffers)
        }
        if actions.contains(.forwardFinish) { partner?.partnerFinished() }
        if actions.contains(.forwardGone) { partner?.partnerGone() }
        if actions.contains(.forwardReset) { partner?.partnerReset() }
        if actions.contains(.acknowledge) {
            let batches = state.takeOwed()
            partner?.partnerTook(batches)
        }
        if actions.contains(.closeOutput) { closeOutput(context) }
        if actions.contains(.startOrphanTimer) {
            orphanTimer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.orphanTime) {
                self.perform(self.state.orphanTimedOut())
            }
        }
        if actions.contains(.read) { context.read() }
        if actions.contains(.close) { context.close(promise: nil) }
        if actions.contains(.reset) { reset(context) }
    }

    /// NIO's half-close behind an end of file would drop what is not yet written: the promise of an empty write comes after those
    /// of all earlier ones.
    private func closeOutput(_ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer())).assumeIsolated().whenComplete { _ in
            guard let context = self.context else { return }
            context.close(mode: .output).assumeIsolated().whenComplete { _ in self.perform(self.state.outputClosed()) }
        }
    }

    // MARK: Writing

    /// Writes to the socket itself what it takes at once, past the channel, and returns the rest.
    ///
    /// A buffer in the channel's queue keeps alive all that was read with it; TLS then copies its whole read buffer before it can go
    /// on, which was a quarter of the time of a fast download.
    private func writePlainly(_ batch: ArraySlice<ByteBuffer>, _ context: ChannelHandlerContext) -> ArraySlice<ByteBuffer> {
        guard isPlain, let socket = openSocket(context) else { return batch }
        var rest = batch
        while let buffer = rest.first {
            let written = buffer.withUnsafeReadableBytes { send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            // An error is the channel's to find, when it tries the same.
            guard written > 0 else { break }
            guard written == buffer.readableBytes else {
                rest[rest.startIndex].moveReaderIndex(forwardBy: written)
                break
            }
            rest.removeFirst()
        }
        return rest
    }

    /// The channel's socket. Asking for it is slow, so it is asked for once; a channel closes its socket when it turns inactive.
    private func openSocket(_ context: ChannelHandlerContext) -> NIOBSDSocket.Handle? {
        guard context.channel.isActive else { return nil }
        if socket == nil {
            socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
        }
        return socket
    }

    private func queue(_ buffers: ArraySlice<ByteBuffer>, _ context: ChannelHandlerContext) {
        guard !buffers.isEmpty else { return }
        for buffer in buffers.dropLast() { context.write(wrapOutboundOut(ByteBuffer(bytes: buffer.readableBytesView)), promise: nil) }
        queuedWrites += 1
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: buffers[buffers.endIndex - 1].readableBytesView))).assumeIsolated()
            .whenComplete { _ in self.queuedWrites -= 1 }
    }

    private func reset(_ context: ChannelHandlerContext) {
        isBroken = true
        if isPlain { SocketReset.reset(context) } else { context.triggerUserOutboundEvent(SocketReset.Request(), promise: nil) }
    }
}
