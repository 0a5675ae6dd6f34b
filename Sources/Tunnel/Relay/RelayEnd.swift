import Glibc
import NIOCore

/// The handler at one end of a relay: the shell around `RelayState`.
///
/// It stands last in its channel's pipeline, with reading on demand (`autoRead` off). The two ends may live on different event
/// loops.
package final class RelayEnd: ChannelInboundHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    /// What kind of channel this is: they differ in how output ends.
    package enum Kind {
        /// A socket, where a half-close behind an end of file would drop what is not yet written.
        case socket
        /// An HTTP/2 stream, which closes by itself once both directions have ended.
        case stream
    }

    /// How long a channel whose partner is gone may stay half open: Linux's own limit for a socket in that state.
    static let orphanTime = TimeAmount.seconds(60)

    private let kind: Kind
    private let countReceived: (@Sendable (Int) -> Void)?
    private var state = RelayState()
    private var isBroken: Bool
    private var context: ChannelHandlerContext?
    private var partner: RelayPeer?
    private var batch: [ByteBuffer] = []
    private var orphanTimer: Scheduled<Void>?

    /// `countReceived` is told how many bytes were read at this end.
    package init(_ kind: Kind, countReceived: (@Sendable (Int) -> Void)? = nil) {
        self.kind = kind
        self.countReceived = countReceived
        // NIO closes a socket whose output has ended at its end of file, without the event that it gives for one half. A stream
        // gives the event always.
        isBroken = kind == .stream
    }

    package func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    package func handlerRemoved(context: ChannelHandlerContext) {
        perform(state.becameInactive(broken: isBroken))
        self.context = nil
    }

    // MARK: The channel

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
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

    package func link(to partner: RelayPeer) {
        self.partner = partner
        perform(state.link())
    }

    func partnerSent(_ buffers: [ByteBuffer]) {
        guard let context else { return }
        for buffer in buffers { context.write(wrapOutboundOut(buffer), promise: nil) }
        context.flush()
        perform(state.wroteBatch(isWritable: context.channel.isWritable))
    }

    func partnerTook(_ batches: Int) { perform(state.partnerTook(batches)) }
    func partnerFinished() { perform(state.partnerFinished()) }
    func partnerGone() { perform(state.partnerGone()) }
    package func partnerReset() { perform(state.partnerReset()) }

    // MARK: Actions

    private func perform(_ actions: RelayActions) {
        guard !actions.isEmpty, let context else { return }
        if actions.contains(.forwardBatch) {
            let buffers = batch
            batch = []
            partner?.call { $0.partnerSent(buffers) }
        }
        if actions.contains(.forwardFinish) { partner?.call { $0.partnerFinished() } }
        if actions.contains(.forwardGone) { partner?.call { $0.partnerGone() } }
        if actions.contains(.forwardReset) { partner?.call { $0.partnerReset() } }
        if actions.contains(.acknowledge) {
            let batches = state.takeOwed()
            partner?.call { $0.partnerTook(batches) }
        }
        if actions.contains(.closeOutput) { closeOutput(context) }
        if actions.contains(.startOrphanTimer) {
            let end = NIOLoopBound(self, eventLoop: context.eventLoop)
            orphanTimer = context.eventLoop.scheduleTask(in: Self.orphanTime) { end.value.perform(end.value.state.orphanTimedOut()) }
        }
        if actions.contains(.read) { context.read() }
        if actions.contains(.close), kind == .socket { context.close(promise: nil) }
        if actions.contains(.reset) { reset(context) }
    }

    private func closeOutput(_ context: ChannelHandlerContext) {
        let end = NIOLoopBound(self, eventLoop: context.eventLoop)
        switch kind {
        case .stream:
            context.close(mode: .output).whenComplete { _ in end.value.perform(end.value.state.outputClosed()) }
        case .socket:
            // The promise of an empty write comes after those of all earlier ones.
            context.writeAndFlush(wrapOutboundOut(ByteBuffer())).whenComplete { _ in
                guard let context = end.value.context else { return }
                context.close(mode: .output).whenComplete { _ in end.value.perform(end.value.state.outputClosed()) }
            }
        }
    }

    private func reset(_ context: ChannelHandlerContext) {
        isBroken = true
        if kind == .socket, let options = context.channel as? any SocketOptionProvider {
            // Without lingering the kernel sends RST, so that the other side knows that the data broke off.
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in }
        }
        context.close(promise: nil)
    }
}

/// A way to call a `RelayEnd` from whatever event loop: in place on its own, else in order of the calls.
package struct RelayPeer: Sendable {
    private let end: NIOLoopBound<RelayEnd>

    /// On the end's own event loop only.
    package init(_ end: RelayEnd, on eventLoop: any EventLoop) {
        self.end = NIOLoopBound(end, eventLoop: eventLoop)
    }

    var eventLoop: any EventLoop { end.eventLoop }

    package func call(_ body: @escaping @Sendable (RelayEnd) -> Void) {
        if end.eventLoop.inEventLoop {
            body(end.value)
        } else {
            end.eventLoop.execute { body(end.value) }
        }
    }
}
