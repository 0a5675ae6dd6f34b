import NIOCore
import NIOHPACK
import NIOHTTP2

/// A gRPC call that carries packets both ways: the one handler of its HTTP/2 stream, which reads on demand.
///
/// What is sent in one turn of the event loop leaves together.
final class PacketChannel: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    enum Event {
        /// The request's, or the answer's.
        case headers(HPACKHeaders)
        case packet(KonnectivityPacket)
        /// All that has come was handed out.
        case readCompleted
        case writable
        /// The other end sends nothing more; an answer ends with its status.
        case ended(GRPCStatus?)
        /// The call is over, and no further event comes.
        case closed((any Error)?)
    }

    /// Leaves before the turn of the event loop is over.
    private static let turnLimit = 128 * 1024

    private let opening: HPACKHeaders?
    private var onEvent: (Event) -> Void
    private var context: ChannelHandlerContext?
    private var reader = GRPCMessageReader()
    private var hasHeaders = false
    private var end: GRPCStatus??
    private(set) var isHeld = false
    private var releaseIsScheduled = false
    private var outgoing = ByteBuffer()
    /// Bytes of all packets but DATA, written since there was room last.
    private var unread = 0
    private var flushIsScheduled = false
    private var outputHasEnded = false
    private var firstError: (any Error)?

    /// `opening` are the headers of a call that begins here.
    init(opening: HPACKHeaders? = nil, onEvent: @escaping (Event) -> Void) {
        self.opening = opening
        self.onEvent = onEvent
    }

    // MARK: Sending

    var isWritable: Bool { context?.channel.isWritable ?? false }
    var isOpen: Bool { context != nil && !outputHasEnded }

    func send(_ packet: KonnectivityPacket) {
        guard isOpen else { return }
        let before = outgoing.readableBytes
        packet.write(to: &outgoing)
        unread = isWritable ? 0 : unread + outgoing.readableBytes - before
        wrote()
    }

    func sendData(_ batch: [ByteBuffer], connectID: Int64) {
        guard isOpen else { return }
        let chunk = KonnectivityProtocol.chunk
        for buffer in batch {
            var rest = buffer.readableBytesView
            let packets = (rest.count + chunk - 1) / chunk
            outgoing.reserveCapacity(minimumWritableBytes: rest.count + packets * KonnectivityPacket.dataOverhead)
            while !rest.isEmpty {
                KonnectivityPacket.writeData(connectID: connectID, rest.prefix(chunk), to: &outgoing)
                rest = rest.dropFirst(chunk)
            }
        }
        wrote()
    }

    /// The headers of the answer, which the other end waits for: at once.
    func answer(_ headers: HPACKHeaders) {
        guard isOpen, let context else { return }
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
    }

    /// Ends the call before it began.
    func refuse(_ status: GRPCStatus) { end(with: .headers(.init(headers: status.answer, endStream: true))) }

    /// Ends a call that was answered, once all that was sent is out.
    func finish(_ status: GRPCStatus) { end(with: .headers(.init(headers: status.trailers, endStream: true))) }

    private func end(with payload: HTTP2Frame.FramePayload) {
        guard isOpen, let context else { return }
        flush()
        outputHasEnded = true
        context.writeAndFlush(wrapOutboundOut(payload), promise: nil)
    }

    /// Breaks the call off.
    func close() { context?.close(promise: nil) }

    func schedule(in time: TimeAmount, _ body: @escaping () -> Void) -> Scheduled<Void>? {
        context?.eventLoop.assumeIsolated().scheduleTask(in: time, body)
    }

    private func wrote() {
        if outgoing.readableBytes >= Self.turnLimit {
            flush()
        } else if !flushIsScheduled {
            flushIsScheduled = true
            context?.eventLoop.assumeIsolated().execute {
                self.flushIsScheduled = false
                self.flush()
            }
        }
    }

    func flush() {
        guard let context, outgoing.readableBytes > 0 else { return }
        let bytes = outgoing
        outgoing = ByteBuffer()
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(bytes)))), promise: nil)
    }

    // MARK: Receiving

    /// Hands out nothing more until `release()`; the other end's window does the rest.
    func hold() { isHeld = true }

    func release() {
        isHeld = false
        guard !releaseIsScheduled, let context else { return }
        releaseIsScheduled = true
        // Not in the midst of what let it go.
        context.eventLoop.assumeIsolated().execute {
            self.releaseIsScheduled = false
            guard let context = self.context, !self.isHeld else { return }
            self.handOut(context)
            self.completeRead(context)
        }
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        if let opening { context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: opening))), promise: nil) }
        context.fireChannelActive()
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            let status = GRPCStatus(frame.headers)
            if !hasHeaders {
                hasHeaders = true
                onEvent(.headers(frame.headers))
            }
            if frame.endStream { end = .some(status) }
        case .data(let frame):
            if case .byteBuffer(let bytes) = frame.data, bytes.readableBytes > 0 { reader.append(bytes) }
            if frame.endStream { end = .some(nil) }
        default: break
        }
        handOut(context)
    }

    func channelReadComplete(context: ChannelHandlerContext) { completeRead(context) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { onEvent(.writable) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if firstError == nil { firstError = error }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        onEvent(.closed(firstError))
        // Whoever listens may hold on to this object.
        onEvent = { _ in }
        context.fireChannelInactive()
    }

    private func handOut(_ context: ChannelHandlerContext) {
        do {
            while !isHeld, let message = try reader.next() { onEvent(.packet(try KonnectivityPacket(reading: message))) }
            if unread > PeerReadsNothing.limit { throw PeerReadsNothing(bytes: unread) }
        } catch {
            errorCaught(context: context, error: error)
            return
        }
        guard !isHeld, let end else { return }
        self.end = nil
        onEvent(.readCompleted)
        onEvent(.ended(end))
    }

    private func completeRead(_ context: ChannelHandlerContext) {
        onEvent(.readCompleted)
        if !isHeld { context.read() }
    }
}
