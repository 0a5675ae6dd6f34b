import NIOCore

/// The end of a relay at a stream of a native connection: the shell around `RelayState`, with a window in each direction.
final class CarrierStream: RelayEnd, PendingDial {
    private enum Phase {
        /// The other end was asked, and has not answered.
        case opening(answer: (Result<any RelayEnd, DialFailure>) -> Void)
        /// This end was asked, and has not answered.
        case asked
        case open
        case ended
    }

    let id: UInt32
    private var carrier: Carrier?
    private var phase: Phase
    private var countReceived: ((Int) -> Void)?
    private var state = RelayState()
    private var partner: (any RelayEnd)?

    private var batch: [ByteBuffer] = []
    private var window = ReceiveWindow(now: .now())
    /// Bytes that the partner has, or is being given, and that are not granted anew.
    private var delivered = 0

    private var credit: Int
    /// What the partner sent and the other end has no room for: one batch at most, as the partner reads on only when it was taken.
    private var unsent = CircularBuffer<ByteBuffer>(initialCapacity: 1)
    private var isFinishing = false
    private var isWaiting = false
    private var orphanTimer: Scheduled<Void>?
    private var abandoned: (() -> Void)?

    /// A stream that this end opens.
    init(
        id: UInt32, carrier: Carrier, countReceived: ((Int) -> Void)?, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void
    ) {
        self.id = id
        self.carrier = carrier
        self.countReceived = countReceived
        credit = 0
        phase = .opening(answer: answer)
    }

    /// A stream that the other end opened, with room for so many bytes there.
    init(id: UInt32, carrier: Carrier, askedWith credit: Int) {
        self.id = id
        self.carrier = carrier
        self.credit = credit
        phase = .asked
    }

    /// Whether the dial was given up, or the connection ended, before it was answered.
    var isEnded: Bool { if case .ended = phase { true } else { false } }

    // MARK: Opening

    /// The target is connected: bytes may flow.
    func accept(countReceived: ((Int) -> Void)?) {
        guard case .asked = phase else { return }
        self.countReceived = countReceived
        phase = .open
        abandoned = nil
        carrier?.write(.opened(stream: id, window: UInt32(ReceiveWindow.initial)))
    }

    func refuse(_ failure: DialFailure) {
        guard case .asked = phase else { return }
        carrier?.write(.refused(stream: id, failure))
        end()
    }

    /// `body` is called when the one who asked is gone before he was answered.
    func onAbandoned(_ body: @escaping () -> Void) { abandoned = body }

    func abandon() {
        guard case .opening = phase else { return }
        carrier?.write(.reset(stream: id))
        end()
    }

    func opened(window: UInt32) throws(FrameError) {
        guard case .opening(let answer) = phase else { throw FrameError(description: "stream \(id) was answered twice") }
        credit = Int(window)
        phase = .open
        answer(.success(self))
    }

    func refused(_ failure: DialFailure) {
        guard case .opening(let answer) = phase else { return }
        end()
        answer(.failure(failure))
    }

    // MARK: From the other end

    /// True when this is the first of what was read now: `readCompleted` is due.
    func received(_ bytes: ByteBuffer) throws(FrameError) -> Bool {
        guard case .open = phase else { throw FrameError(description: "DATA on stream \(id), which is not open") }
        guard !state.inputEnded else { throw FrameError(description: "DATA behind the end of stream \(id)") }
        guard window.received(bytes.readableBytes) else { throw FrameError(description: "DATA beyond the window of stream \(id)") }
        let isFirst = batch.isEmpty
        let (keep, actions) = state.received()
        if keep {
            countReceived?(bytes.readableBytes)
            delivered += bytes.readableBytes
            batch.append(bytes)
        }
        perform(actions)
        return keep && isFirst
    }

    func readCompleted() { perform(state.readCompleted()) }

    func finished() { perform(state.inputClosed()) }

    func wasReset() {
        switch phase {
        case .opening(let answer):
            // Whoever was asked is about to go.
            end()
            answer(.failure(.lost))
        default: end()
        }
    }

    func granted(_ increment: UInt32) throws(FrameError) {
        let (sum, overflow) = credit.addingReportingOverflow(Int(increment))
        guard !overflow, sum <= Int(UInt32.max) else { throw FrameError(description: "the window of stream \(id) is beyond all bounds") }
        credit = sum
        sendUnsent()
        if !unsent.isEmpty { return }
        acknowledgeWhenWritable()
    }

    func carrierIsWritable() {
        isWaiting = false
        if unsent.isEmpty { perform(state.becameWritable()) }
    }

    func carrierClosed() {
        guard case .opening(let answer) = phase else { return end() }
        end()
        answer(.failure(.lost))
    }

    // MARK: The partner

    func link(to partner: any RelayEnd) {
        self.partner = partner
        perform(state.link())
    }

    func partnerSent(_ batch: [ByteBuffer]) {
        guard let carrier else { return }
        unsent.append(contentsOf: batch)
        sendUnsent()
        let hasRoom = unsent.isEmpty && carrier.isWritable
        perform(state.wroteBatch(isWritable: hasRoom))
        if !hasRoom, unsent.isEmpty { waitForCarrier() }
    }

    func partnerTook(_ batches: Int) { perform(state.partnerTook(batches)) }
    func partnerFinished() { perform(state.partnerFinished()) }
    func partnerGone() { perform(state.partnerGone()) }
    func partnerReset() { perform(state.partnerReset()) }

    // MARK: Actions

    private func perform(_ actions: RelayActions) {
        guard !actions.isEmpty else { return }
        if actions.contains(.forwardBatch) {
            let buffers = batch
            batch.removeAll(keepingCapacity: false)
            partner?.partnerSent(buffers)
            if state.outstanding > 0 {
                window.readerStalled()
                carrier?.counters.readerStalls.add(1)
            }
        }
        if actions.contains(.forwardFinish) { partner?.partnerFinished() }
        if actions.contains(.forwardGone) { partner?.partnerGone() }
        if actions.contains(.forwardReset) { partner?.partnerReset() }
        if actions.contains(.acknowledge) { partner?.partnerTook(state.takeOwed()) }
        if actions.contains(.closeOutput) {
            isFinishing = true
            sendUnsent()
        }
        if actions.contains(.startOrphanTimer) { startOrphanTimer() }
        if actions.contains(.read) { grant() }
        if actions.contains(.close) { end() }
        if actions.contains(.reset), !isEnded {
            carrier?.write(.reset(stream: id))
            end()
        }
    }

    private func sendUnsent() {
        guard let carrier else { return }
        while credit > 0, var buffer = unsent.popFirst() {
            if buffer.readableBytes > credit, let part = buffer.readSlice(length: credit) {
                unsent.prepend(buffer)
                credit = 0
                carrier.writeData(part, stream: id)
            } else {
                credit -= buffer.readableBytes
                carrier.writeData(buffer, stream: id)
            }
        }
        guard isFinishing, unsent.isEmpty else { return }
        isFinishing = false
        carrier.write(.finish(stream: id))
        // Nothing more comes to wait for room: what is owed must not look lost when the stream ends.
        perform(state.becameWritable())
        perform(state.outputClosed())
    }

    private func acknowledgeWhenWritable() {
        guard let carrier, state.owed > 0 else { return }
        if carrier.isWritable { perform(state.becameWritable()) } else { waitForCarrier() }
    }

    private func waitForCarrier() {
        guard !isWaiting else { return }
        isWaiting = true
        carrier?.wakeWhenWritable(self)
    }

    /// All that was delivered is taken: the other end may send as much again.
    private func grant() {
        guard let carrier, delivered > 0 else { return }
        let before = window.size
        let grant = window.passedOn(
            delivered, now: .now(), roundTrip: carrier.roundTrip, mayGrow: carrier.mayGrow(by: window.size))
        delivered = 0
        carrier.grew(by: window.size - before)
        if grant > 0 { carrier.write(.window(stream: id, increment: UInt32(clamping: grant))) }
    }

    private func startOrphanTimer() {
        orphanTimer = carrier?.schedule(in: SocketEnd.orphanTime) { self.perform(self.state.orphanTimedOut()) }
    }

    /// The stream is over: nothing more comes of it, and nothing more goes.
    private func end() {
        guard !isEnded else { return }
        if case .asked = phase { abandoned?() }
        abandoned = nil
        phase = .ended
        orphanTimer?.cancel()
        carrier?.grew(by: ReceiveWindow.initial - window.size)
        carrier?.ended(self)
        carrier = nil
        perform(state.becameInactive(broken: true))
        partner = nil
        unsent.removeAll()
    }
}
