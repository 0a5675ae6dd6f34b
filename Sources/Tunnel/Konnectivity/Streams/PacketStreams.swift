import NIOCore

/// The connections that share one stream of packets.
///
/// There is no window: what one connection's reader leaves unread is queued here. A full queue stops the reading of the whole
/// stream, and so holds up every other connection. A reader that takes nothing for too long meanwhile loses its connection, one that
/// is merely slow does not: the others go at its pace, as they do with upstream.
final class PacketStreams {
    private static let lookInterval = TimeAmount.milliseconds(250)

    let carrier: PacketChannel
    private let terms: (_ connections: Int) -> QueueTerms
    private let onStall: (PacketStream) -> Void
    private let onForget: (PacketStream) -> Void
    private var streams: [Int64: PacketStream] = [:]
    private var received: [PacketStream] = []
    private var waiting = CircularBuffer<PacketStream>(initialCapacity: 1)
    private var queuedBytes = 0
    private var fullQueues = 0
    private var stallTimer: Scheduled<Void>?

    /// `onStall` is told of a connection that is about to be ended so that the others go on.
    init(
        carrier: PacketChannel, terms: @escaping (_ connections: Int) -> QueueTerms,
        onStall: @escaping (PacketStream) -> Void = { _ in }, onForget: @escaping (PacketStream) -> Void = { _ in }
    ) {
        self.carrier = carrier
        self.terms = terms
        self.onStall = onStall
        self.onForget = onForget
    }

    var count: Int { streams.count }

    /// Nil when the id is in use.
    func open(_ connectID: Int64, side: PacketStreamState.Side, countReceived: @escaping (Int) -> Void) -> PacketStream? {
        guard streams[connectID] == nil else { return nil }
        let stream = PacketStream(connectID: connectID, side: side, streams: self, countReceived: countReceived)
        streams[connectID] = stream
        reconsider()
        return stream
    }

    subscript(connectID: Int64) -> PacketStream? { streams[connectID] }

    /// False when there is no such connection.
    func received(_ bytes: ByteBuffer, for connectID: Int64) -> Bool {
        guard let stream = streams[connectID] else { return false }
        if stream.received(bytes) { received.append(stream) }
        return true
    }

    /// All that came in this turn was handed out.
    func readCompleted() {
        guard !received.isEmpty else { return }
        let streams = received
        received.removeAll(keepingCapacity: true)
        for stream in streams { stream.readCompleted() }
    }

    func forget(_ stream: PacketStream) {
        // What it had queued no longer holds anybody up.
        queueChanged(from: stream.queuedBytes, to: 0)
        streams[stream.connectID] = nil
        reconsider()
        onForget(stream)
    }

    /// The stream of packets has ended.
    func carrierLost() {
        stallTimer?.cancel()
        waiting.removeAll()
        for stream in Array(streams.values) { stream.carrierLost() }
    }

    // MARK: Room to write

    func wakeWhenWritable(_ stream: PacketStream) { waiting.append(stream) }

    /// In the order in which they began to wait, as long as there is room.
    func carrierIsWritable() {
        var rest = waiting.count
        while rest > 0, carrier.isWritable, let stream = waiting.popFirst() {
            stream.carrierIsWritable()
            rest -= 1
        }
    }

    // MARK: Full queues

    func queueChanged(from old: Int, to new: Int) {
        queuedBytes += new - old
        let limit = QueueTerms.shared.limit
        if old < limit, new >= limit { fullQueues += 1 }
        if old >= limit, new < limit { fullQueues -= 1 }
        reconsider()
    }

    /// Stops reading, or goes on: the queues have changed, or who is held up by them.
    func reconsider() {
        let holds =
            fullQueues > 0 || queuedBytes >= QueueTerms.totalLimit || (streams.count == 1 && queuedBytes >= terms(1).limit)
        guard holds != carrier.isHeld else { return }
        if holds {
            carrier.hold()
            look()
        } else {
            stallTimer?.cancel()
            stallTimer = nil
            carrier.release()
        }
    }

    private func look() {
        stallTimer?.cancel()
        stallTimer = carrier.schedule(in: Self.lookInterval) {
            let now = NIODeadline.now()
            for stream in Array(self.streams.values) where stream.queuedBytes > 0 {
                stream.noteProgress(at: now)
                // Asked for each, as the others may just have gone.
                guard let limit = self.terms(self.streams.count).patience, now - stream.lastProgress >= limit else { continue }
                self.onStall(stream)
                stream.stalled()
            }
            if self.carrier.isHeld { self.look() }
        }
    }
}
