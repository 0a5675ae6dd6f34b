import NIOCore

/// The end of a relay at a connection carried in packets: the shell around `PacketStreamState`.
final class PacketStream: RelayEnd {
    /// How much the partner gets at a time of what was queued while it was slow: small, as it is asked how it does after each.
    private static let portion = 128 * 1024

    let connectID: Int64
    private var streams: PacketStreams?
    private var state: PacketStreamState
    private let countReceived: (Int) -> Void
    private var partner: (any RelayEnd)?
    private var queue: [ByteBuffer] = []
    private(set) var queuedBytes = 0 {
        didSet { streams?.queueChanged(from: oldValue, to: queuedBytes) }
    }
    /// When the partner last showed that it reads.
    private(set) var lastProgress = NIODeadline.now()
    private var lastUnwritten = 0
    private var isWaiting = false
    private var isStepping = false
    private var closeTimer: Scheduled<Void>?

    init(connectID: Int64, side: PacketStreamState.Side, streams: PacketStreams, countReceived: @escaping (Int) -> Void) {
        self.connectID = connectID
        self.streams = streams
        self.countReceived = countReceived
        state = PacketStreamState(side: side)
    }

    // MARK: The other side

    /// True when this is the first of what came in this turn: `readCompleted` is due.
    func received(_ bytes: ByteBuffer) -> Bool {
        guard bytes.readableBytes > 0, state.received() else { return false }
        countReceived(bytes.readableBytes)
        let isFirst = queue.isEmpty
        if isFirst { lastProgress = .now() }
        queue.append(bytes)
        queuedBytes += bytes.readableBytes
        return isFirst
    }

    func readCompleted() { step() }

    /// CLOSE_REQ or CLOSE_RSP came.
    func closed(_ end: PacketStreamState.End) {
        state.peerClosed(end)
        step()
    }

    func carrierIsWritable() {
        isWaiting = false
        step()
    }

    func carrierLost() {
        if state.carrierLost() { dropQueue() }
        step()
    }

    /// Looks whether the partner got rid of anything since the last look.
    func noteProgress(at now: NIODeadline) {
        let unwritten = partner?.unwrittenBytes ?? 0
        if unwritten < lastUnwritten { lastProgress = now }
        lastUnwritten = unwritten
    }

    /// The partner has taken nothing for too long, at the others' cost.
    func stalled() {
        state.stalled()
        dropQueue()
        step()
    }

    // MARK: The partner

    func link(to partner: any RelayEnd) {
        self.partner = partner
        state.linked()
        step()
    }

    func partnerSent(_ batch: [ByteBuffer]) {
        if state.partnerSent() { streams?.carrier.sendData(batch, connectID: connectID) }
        step()
    }

    func partnerTook(_ batches: Int) {
        lastProgress = .now()
        state.partnerTook(batches)
        step()
    }

    func partnerFinished() {
        state.partnerFinished()
        step()
    }

    func partnerGone() {
        state.partnerGone(.orderly)
        dropQueue()
        step()
    }

    func partnerReset() {
        state.partnerGone(.broken)
        dropQueue()
        step()
    }

    // MARK: Steps

    private func step() {
        // What a step sets off comes back here, and is next in this loop.
        guard !isStepping else { return }
        isStepping = true
        while let next = state.next(isWritable: streams?.carrier.isWritable ?? true) { perform(next) }
        isStepping = false
        if state.owed > 0, !isWaiting, let streams {
            isWaiting = true
            streams.wakeWhenWritable(self)
        }
    }

    private func perform(_ step: PacketStreamState.Step) {
        switch step {
        case .deliver: deliver()
        case .acknowledge(let batches): partner?.partnerTook(batches)
        case .endPartner(.orderly):
            partner?.partnerFinished()
            partner?.partnerGone()
        case .endPartner(.broken): partner?.partnerReset()
        case .sendClose(let end): sendClose(end)
        case .awaitClose:
            closeTimer = streams?.carrier.schedule(in: KonnectivityProtocol.closeTimeout) {
                self.state.closeTimedOut()
                self.step()
            }
        case .forget:
            closeTimer?.cancel()
            partner = nil
            let streams = streams
            self.streams = nil
            streams?.forget(self)
        }
    }

    private func deliver() {
        var portion: [ByteBuffer] = []
        var bytes = 0
        if queuedBytes <= Self.portion {
            (portion, bytes) = (queue, queuedBytes)
            queue = []
        } else {
            for buffer in queue where bytes < Self.portion {
                portion.append(buffer)
                bytes += buffer.readableBytes
            }
            queue.removeFirst(portion.count)
        }
        state.delivered(hasMore: !queue.isEmpty)
        queuedBytes -= bytes
        partner?.partnerSent(portion)
    }

    private func dropQueue() {
        guard queuedBytes > 0 else { return }
        queue = []
        queuedBytes = 0
    }

    private func sendClose(_ end: PacketStreamState.End) {
        switch state.side {
        case .dialer: streams?.carrier.send(.closeRequest(connectID: connectID))
        case .dialed:
            let error = end == .broken ? "the connection broke off" : ""
            streams?.carrier.send(.closeResponse(connectID: connectID, error: error))
        }
    }
}
