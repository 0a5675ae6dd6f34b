import NIOCore

/// One native connection: carries the frames of all its streams, behind TLS.
///
/// A channel handler, last in its pipeline. What many streams write in one turn of the event loop leaves together; a stream whose
/// reader is slow is held back by its own window and never keeps the others from being read.
final class Carrier: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Event {
        /// The other end asks for a connection; the stream waits for `accept` or `refuse`.
        case asked(CarrierStream, target: String)
        case control(ByteBuffer)
        /// The other end takes no new streams, with its words.
        case leaving(String)
        /// The connection is over, with the first error that was seen.
        case closed((any Error)?)
    }

    /// Frames that carry less are copied together, so that they share a TLS record; larger ones are handed on as they are.
    private static let copyLimit = 4 * 1024
    /// Leaves before the turn of the event loop is over.
    private static let turnLimit = 128 * 1024
    /// How many streams that waited for room go on in one turn: together they about fill the room there is.
    private static let wokenATurn = 8
    /// What the windows of all streams may grow by, together.
    private static let growthLimit = 64 * 1024 * 1024
    /// What may wait for a peer that makes us write and reads nothing: more than the answers to all its streams.
    static let unreadLimit = 8 * 1024 * 1024

    let counters: TunnelCounters
    private var onEvent: (Event) -> Void
    private(set) var roundTrip = TimeAmount.milliseconds(1)
    private var context: ChannelHandlerContext?
    private var reader = FrameReader()
    private var streams: [UInt32: CarrierStream] = [:]
    private var nextStream: UInt32 = 1
    private var received: [CarrierStream] = []
    private var waiting = CircularBuffer<CarrierStream>()
    private var outgoing = ByteBuffer()
    private var unflushed = 0
    /// Bytes of all frames but DATA, which has windows, written since there was room last.
    private var unread = 0
    private var flushIsScheduled = false
    private var wakingIsScheduled = false
    private var growth = 0
    private var liveness = Liveness(now: .now())
    private var livenessTimer: RepeatedTask?
    private var firstError: (any Error)?
    private var isClosed = false

    init(counters: TunnelCounters, onEvent: @escaping (Event) -> Void) {
        self.counters = counters
        self.onEvent = onEvent
    }

    // MARK: Streams

    var streamCount: Int { streams.count }

    /// False when no stream can be opened here any more.
    var isOpen: Bool { context != nil && !isClosed && nextStream < .max }

    /// Asks the other end for a connection.
    func open(
        _ target: Endpoint, countReceived: ((Int) -> Void)?, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void
    ) -> CarrierStream {
        let stream = CarrierStream(id: nextStream, carrier: self, countReceived: countReceived, answer: answer)
        nextStream += 1
        streams[stream.id] = stream
        write(.open(stream: stream.id, window: UInt32(ReceiveWindow.initial), target: target.description))
        return stream
    }

    func ended(_ stream: CarrierStream) { streams[stream.id] = nil }

    func mayGrow(by bytes: Int) -> Bool { growth + bytes <= Self.growthLimit }
    func grew(by bytes: Int) { growth += bytes }

    /// The stream is to be told once there is room.
    func wakeWhenWritable(_ stream: CarrierStream) {
        counters.carrierStalls.add(1)
        waiting.append(stream)
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func schedule(in time: TimeAmount, _ body: @escaping () -> Void) -> Scheduled<Void>? {
        context?.eventLoop.assumeIsolated().scheduleTask(in: time, body)
    }

    // MARK: Writing

    func write(_ frame: Frame) {
        guard context != nil else { return }
        let before = outgoing.readableBytes
        outgoing.writeFrame(frame)
        let bytes = outgoing.readableBytes - before
        unread = isWritable ? 0 : unread + bytes
        wrote(bytes)
    }

    /// Control messages are few, so they wait for no window; a long one is spread over frames.
    func sendControl(_ message: ControlMessage) {
        var text = ByteBuffer(string: message.text)
        while let part = text.readSlice(length: min(text.readableBytes, FrameReader.maximumControl)), part.readableBytes > 0 {
            write(.control(part))
        }
    }

    func writeData(_ bytes: ByteBuffer, stream: UInt32) {
        guard let context else { return }
        outgoing.writeDataHeader(stream: stream, length: bytes.readableBytes)
        if bytes.readableBytes <= Self.copyLimit {
            outgoing.writeImmutableBuffer(bytes)
        } else {
            handOn(context)
            context.write(wrapOutboundOut(bytes), promise: nil)
        }
        wrote(bytes.readableBytes + FrameHeader.size)
    }

    private func handOn(_ context: ChannelHandlerContext) {
        guard outgoing.readableBytes > 0 else { return }
        context.write(wrapOutboundOut(outgoing), promise: nil)
        // Free to be used again once TLS has taken it, else a new one.
        outgoing.clear()
    }

    private func wrote(_ bytes: Int) {
        unflushed += bytes
        if unflushed >= Self.turnLimit {
            flush()
        } else if !flushIsScheduled {
            flushIsScheduled = true
            context?.eventLoop.assumeIsolated().execute {
                self.flushIsScheduled = false
                self.flush()
            }
        }
    }

    private func flush() {
        guard let context, unflushed > 0 else { return }
        unflushed = 0
        handOn(context)
        context.flush()
    }

    /// Says why and closes.
    func close(reason: String) {
        guard let context else { return }
        write(.leaving(reason: reason))
        flush()
        close(context)
    }

    private func close(_ context: ChannelHandlerContext) {
        context.close(promise: nil)
        // A peer that reads nothing does not keep its connection by not answering TLS's goodbye.
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
    }

    private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
        if firstError == nil { firstError = error }
        close(context)
    }

    // MARK: The channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        liveness = Liveness(now: .now())
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        livenessTimer = context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Liveness.lookInterval) { _ in
            bound.value.look()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        liveness.heard(at: .now())
        reader.append(unwrapInboundIn(data))
        do {
            while let frame = try reader.next() { try take(frame) }
            if unread > Self.unreadLimit { throw PeerReadsNothing(bytes: unread) }
        } catch {
            fail(context, error)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        let streams = received
        received.removeAll(keepingCapacity: true)
        for stream in streams { stream.readCompleted() }
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        wakeStreams()
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

    func channelInactive(context: ChannelHandlerContext) {
        isClosed = true
        livenessTimer?.cancel()
        waiting.removeAll()
        let open = streams.values
        streams = [:]
        for stream in open { stream.carrierClosed() }
        onEvent(.closed(firstError))
        // Whoever listens may hold on to this object.
        onEvent = { _ in }
        context.fireChannelInactive()
    }

    private func wakeStreams() {
        var woken = 0
        while woken < Self.wokenATurn, isWritable, let stream = waiting.popFirst() {
            stream.carrierIsWritable()
            woken += 1
        }
        guard !waiting.isEmpty, isWritable, !wakingIsScheduled else { return }
        wakingIsScheduled = true
        context?.eventLoop.assumeIsolated().execute {
            self.wakingIsScheduled = false
            self.wakeStreams()
        }
    }

    // MARK: Frames

    private func take(_ frame: Frame) throws {
        switch frame {
        case .open(let id, let window, let target): try asked(id, window: window, target: target)
        case .opened(let id, let window): try streams[id]?.opened(window: window)
        case .refused(let id, let failure): streams[id]?.refused(failure)
        case .data(let id, let bytes):
            guard let stream = streams[id] else { return }
            if try stream.received(bytes) { received.append(stream) }
        case .finish(let id): streams[id]?.finished()
        case .reset(let id): streams[id]?.wasReset()
        case .window(let id, let increment): try streams[id]?.granted(increment)
        // A peer that reads nothing is not answered without end; one that reads has other signs of life on the way.
        case .ping(let token): if isWritable { write(.pong(token)) }
        case .pong(let token): if let time = liveness.answered(token, at: .now()) { roundTrip = min(roundTrip, time) }
        case .leaving(let reason): onEvent(.leaving(reason))
        case .control(let text): onEvent(.control(text))
        case .unknown: break
        }
    }

    private func asked(_ id: UInt32, window: UInt32, target: String) throws {
        guard id >= nextStream, id < .max else { throw FrameError(description: "stream \(id) was opened twice, or is none") }
        nextStream = id + 1
        let stream = CarrierStream(id: id, carrier: self, askedWith: Int(window))
        guard streams.count < NativeProtocol.maximumStreams else {
            stream.refuse(.unavailable("the node's agent has \(streams.count) connections open, its limit"))
            return
        }
        streams[id] = stream
        onEvent(.asked(stream, target: target))
    }

    // MARK: Liveness

    private func look() {
        guard let context, !isClosed else { return }
        switch liveness.look(at: .now()) {
        case .wait: break
        case .ping(let token): write(.ping(token))
        case .dead(let seconds): fail(context, PeerSilent(seconds: seconds))
        }
    }
}

/// The other end has us answer and reads no answers.
struct PeerReadsNothing: Error, CustomStringConvertible {
    var bytes: Int
    var description: String { "the other end leaves \(bytes) bytes of answers unread" }
}
