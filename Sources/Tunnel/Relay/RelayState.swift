/// What one end of a relay is to do next, in this order.
struct RelayActions: OptionSet, Equatable {
    let rawValue: UInt16

    /// Hand what was read to the partner.
    static let forwardBatch = Self(rawValue: 1 << 0)
    /// Tell the partner that nothing more will be read here: it closes its output once all is written.
    static let forwardFinish = Self(rawValue: 1 << 1)
    /// Tell the partner that this channel is gone after it had ended well: nothing can be delivered to it any more.
    static let forwardGone = Self(rawValue: 1 << 2)
    /// Tell the partner that this channel broke: the other side is to see a reset.
    static let forwardReset = Self(rawValue: 1 << 3)
    /// Tell the partner that its batches were taken and that there is room for more.
    static let acknowledge = Self(rawValue: 1 << 4)
    /// Close the output of this channel once all that was written is out; then report `outputClosed()`.
    static let closeOutput = Self(rawValue: 1 << 5)
    static let startOrphanTimer = Self(rawValue: 1 << 6)
    static let read = Self(rawValue: 1 << 7)
    /// Both directions have ended: close.
    static let close = Self(rawValue: 1 << 8)
    /// Close so that the other side sees a reset.
    static let reset = Self(rawValue: 1 << 9)
}

/// One end of a relay between two channels, without the channels.
///
/// An end reads again only when the partner has taken what was read before and can be written to, so at most one burst of
/// reading is held between the two. End of file travels as a half-close behind the last byte; a broken channel travels as a reset.
/// A channel that is gone after its end of file (a client that closed both ways) leaves its partner an orphan: what was written is
/// still delivered, then the first byte that comes back is answered with a reset, as TCP itself would.
struct RelayState: Equatable {
    private(set) var isLinked = false
    private(set) var hasBatch = false
    /// Batches that the partner has not acknowledged.
    private(set) var outstanding = 0
    /// Batches of the partner that were written while this channel was full.
    private(set) var owed = 0
    private(set) var inputEnded = false
    private(set) var outputEnding = false
    private(set) var outputEnded = false
    private(set) var isOrphan = false
    private(set) var isInactive = false
    private var resetOnceWritten = false

    /// The partner is there: says what happened before it was.
    mutating func link() -> RelayActions {
        guard !isLinked else { return [] }
        isLinked = true
        var actions = takeBatch()
        if inputEnded { actions.insert(.forwardFinish) }
        if isInactive { actions.insert(inputEnded ? .forwardGone : .forwardReset) }
        if mayRead { actions.insert(.read) }
        return actions
    }

    /// Bytes were read; false if they have nowhere to go.
    mutating func received() -> (keep: Bool, actions: RelayActions) {
        guard isOrphan else {
            hasBatch = true
            return (true, [])
        }
        guard outputEnded else {
            resetOnceWritten = true
            return (false, [])
        }
        return (false, .reset)
    }

    mutating func readCompleted() -> RelayActions {
        guard isLinked else { return [] }
        var actions = takeBatch()
        if mayRead { actions.insert(.read) }
        return actions
    }

    /// The partner took `batches` and can take more.
    mutating func partnerTook(_ batches: Int) -> RelayActions {
        outstanding -= batches
        return mayRead ? .read : []
    }

    /// A batch of the partner's was written to this channel.
    mutating func wroteBatch(isWritable: Bool) -> RelayActions {
        owed += 1
        return isWritable ? .acknowledge : []
    }

    mutating func becameWritable() -> RelayActions { owed > 0 ? .acknowledge : [] }

    /// How many batches to acknowledge.
    mutating func takeOwed() -> Int {
        defer { owed = 0 }
        return owed
    }

    /// This channel will give nothing more to read.
    mutating func inputClosed() -> RelayActions {
        guard !inputEnded, !isInactive else { return [] }
        inputEnded = true
        guard isLinked else { return [] }
        var actions = takeBatch()
        actions.insert(.forwardFinish)
        if outputEnded { actions.insert(.close) }
        return actions
    }

    /// The partner has no more to write here.
    mutating func partnerFinished() -> RelayActions {
        guard !outputEnding, !isInactive else { return [] }
        outputEnding = true
        return .closeOutput
    }

    /// `closeOutput` is done.
    mutating func outputClosed() -> RelayActions {
        guard !outputEnded, !isInactive else { return [] }
        outputEnded = true
        if resetOnceWritten { return .reset }
        return inputEnded ? .close : []
    }

    mutating func partnerGone() -> RelayActions {
        guard !isInactive, !isOrphan else { return [] }
        isOrphan = true
        if outstanding > 0 || hasBatch {
            hasBatch = false
            outstanding = 0
            resetOnceWritten = true
        }
        if outputEnded {
            if resetOnceWritten { return .reset }
            if inputEnded { return .close }
        }
        return inputEnded ? .startOrphanTimer : [.startOrphanTimer, .read]
    }

    mutating func partnerReset() -> RelayActions { isInactive ? [] : .reset }

    mutating func orphanTimedOut() -> RelayActions { isInactive ? [] : .reset }

    /// This channel is gone; `broken` unless both ways ended in order.
    mutating func becameInactive(broken: Bool) -> RelayActions {
        guard !isInactive else { return [] }
        isInactive = true
        let endedUnseen = outputEnded && !broken && !inputEnded
        if endedUnseen { inputEnded = true }
        guard isLinked, !isOrphan else { return [] }
        var actions = takeBatch()
        if endedUnseen { actions.insert(.forwardFinish) }
        actions.insert(inputEnded ? .forwardGone : .forwardReset)
        return actions
    }

    private var mayRead: Bool { isLinked && !hasBatch && outstanding == 0 && !inputEnded && !isInactive }

    private mutating func takeBatch() -> RelayActions {
        guard hasBatch else { return [] }
        hasBatch = false
        outstanding += 1
        return .forwardBatch
    }
}
