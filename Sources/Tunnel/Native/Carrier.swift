import NIOCore

/// One native connection: carries the frames of all its streams, behind TLS.
///
/// A channel handler, last in its pipeline. What many streams write in one turn of the event loop leaves together; a stream whose
/// reader is slow is held back by its own window and never keeps the others from being read.
final class Carrier: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Event {
        /// The other end asks for a connection; the stream waits for `accept` or `refuse`.
        case asked(CarrierStream, target: String)
        case control(ControlMessage)
        /// The other end takes no new streams, with its words.
        case leaving(String)
        /// The connection is over, with the first error that was seen.
        case closed((any Error)?)
    }

    /// How many streams that waited for room go on in one turn: together they about fill the room there is.
    private static let wokenATurn = 8
    /// What the windows of all streams may grow by, together.
    private static let growthLimit = 64 * 1024 * 1024

    let counters: TunnelCounters
    private var onEvent: (Event) -> Void
    private var context: ChannelHandlerContext?
    private var output: CarrierOutput?
    private var reader = FrameReader()
    private var decoder = ControlDecoder()
    private var streams: [UInt32: CarrierStream] = [:]
    private var nextStream: UInt32 = 1
    private var received: [CarrierStream] = []
    private var waiting = CircularBuffer<CarrierStream>()
    private var wakingIsScheduled = false
    private var growth = 0
    private var liveness = Liveness(now: .now())
    private var livenessTimer: RepeatedTask?
    private var firstError: (any Error)?
    /// From the moment that the end is asked for, or has come.
    private(set) var isClosing = false
    private var isClosed = false

    init(counters: TunnelCounters, onEvent: @escaping (Event) -> Void) {
        self.counters = counters
        self.onEvent = onEvent
    }

    // MARK: Streams

    var streamCount: Int { streams.count }

    /// False when no stream can be opened here any more.
    var isOpen: Bool { context != nil && !isClosing && nextStream < .max }

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

    var roundTrip: TimeAmount { liveness.roundTrip }

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

    func write(_ frame: Frame) { output?.write(frame) }
    func sendControl(_ message: ControlMessage) { output?.write(message) }
    func writeData(_ bytes: ByteBuffer, stream: UInt32) { output?.writeData(bytes, stream: stream) }

    /// Says why and closes.
    func close(reason: String) {
        guard let context, !isClosing else { return }
        write(.leaving(reason: reason))
        output?.flush()
        close(context)
    }

    private func close(_ context: ChannelHandlerContext) {
        isClosing = true
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
        output = CarrierOutput(context: context)
        liveness = Liveness(now: .now())
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        livenessTimer = context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: Liveness.Patience.usual.lookInterval) { _ in
            bound.value.look()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        output = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        liveness.heard(at: .now())
        reader.append(unwrapInboundIn(data))
        do {
            while let frame = try reader.next() { try take(frame) }
            if let unread = output?.unread, unread > PeerReadsNothing.limit { throw PeerReadsNothing(bytes: unread) }
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
        isClosing = true
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
        case .pong(let token): liveness.answered(token, at: .now())
        case .leaving(let reason): onEvent(.leaving(reason))
        case .control(let text): follow(text)
        case .unknown: break
        }
    }

    /// Words that cannot be followed end the connection, and are told to the other end, whose words they are.
    private func follow(_ text: ByteBuffer) {
        do {
            for message in try decoder.append(text.readableBytesView) { onEvent(.control(message)) }
        } catch {
            let error = FrameError(description: "the control messages could not be followed: \(error)")
            if firstError == nil { firstError = error }
            close(reason: "\(error)")
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
