/// One connection carried in packets, without the packets: what is to be done next, after each thing that happened.
///
/// Konnectivity knows neither windows nor half-closes. What comes in for a partner that has not taken the last batch is queued, and
/// the queue is delivered before the end is told. A partner's half-close is this connection's end: the dialer's CLOSE_REQ lets the
/// other side send what it still has before its CLOSE_RSP; a CLOSE_RSP is final.
struct PacketStreamState: Equatable {
    enum Side {
        /// Sent the DIAL_REQ: ends with CLOSE_REQ and waits for CLOSE_RSP.
        case dialer
        /// Answered it: ends with CLOSE_RSP.
        case dialed
    }

    enum End {
        case orderly
        case broken
    }

    enum Step: Equatable {
        /// Hand the partner some of what is queued, and say what is left by `delivered`.
        case deliver
        /// Tell the partner that so many of its batches were taken.
        case acknowledge(Int)
        /// Tell the partner that nothing more comes, and that nothing more goes.
        case endPartner(End)
        /// Send the packet that ends the connection.
        case sendClose(End)
        /// Wait for CLOSE_RSP, but not for ever.
        case awaitClose
        /// Packets of this connection no longer concern it.
        case forget
    }

    private enum PartnerEnd {
        case finished
        case gone
    }

    let side: Side
    private var isLinked = false
    private(set) var hasQueue = false
    /// Batches that the partner has not acknowledged.
    private var outstanding = 0
    /// Batches of the partner's that are sent and not acknowledged.
    private(set) var owed = 0
    private var peerEnd: End?
    private var partnerEnd: PartnerEnd?
    private var partnerIsBroken = false
    private var partnerIsTold = false
    private var closeIsSent = false
    private var isAwaiting = false
    private var isStalled = false
    private var isForgotten = false

    init(side: Side) { self.side = side }

    // MARK: What happened

    mutating func linked() { isLinked = true }

    /// Bytes came; false if they have nowhere to go.
    mutating func received() -> Bool {
        guard peerEnd == nil, !isStalled, partnerEnd != .gone else { return false }
        hasQueue = true
        return true
    }

    /// So much for `deliver`.
    mutating func delivered(hasMore: Bool) { hasQueue = hasMore }

    /// CLOSE_REQ or CLOSE_RSP came.
    mutating func peerClosed(_ end: End) { peerEnd = peerEnd ?? end }

    /// CLOSE_RSP did not come.
    mutating func closeTimedOut() { peerEnd = peerEnd ?? .orderly }

    /// There is nobody any more to send packets to, or to have them from. True if what is queued is to be dropped, as it is not all.
    mutating func carrierLost() -> Bool {
        closeIsSent = true
        guard peerEnd == nil else { return false }
        peerEnd = .broken
        hasQueue = false
        return true
    }

    /// The partner took nothing for too long; what is queued is to be dropped.
    mutating func stalled() {
        isStalled = true
        hasQueue = false
    }

    mutating func partnerTook(_ batches: Int) { outstanding -= batches }

    /// The partner has bytes for the other side; false if they have nowhere to go.
    mutating func partnerSent() -> Bool {
        guard !closeIsSent, peerEnd == nil, !isStalled else { return false }
        owed += 1
        return true
    }

    mutating func partnerFinished() {
        guard partnerEnd == nil else { return }
        partnerEnd = .finished
        // Behind its CLOSE_RSP the dialer sends nothing that counts.
        if side == .dialed { peerEnd = peerEnd ?? .orderly }
    }

    /// The partner is gone, and what is queued is to be dropped.
    mutating func partnerGone(_ end: End) {
        guard partnerEnd != .gone else { return }
        if end == .broken, partnerEnd == nil { partnerIsBroken = true }
        partnerEnd = .gone
        hasQueue = false
    }

    // MARK: What is next

    mutating func next(isWritable: Bool) -> Step? {
        guard !isForgotten else { return nil }
        if isLinked, owed > 0, isWritable, partnerEnd != .gone {
            defer { owed = 0 }
            return .acknowledge(owed)
        }
        if isLinked, partnerEnd != .gone, !partnerIsTold {
            if hasQueue {
                if outstanding == 0 {
                    outstanding = 1
                    return .deliver
                }
            } else if isStalled {
                partnerIsTold = true
                return .endPartner(.broken)
            } else if let peerEnd {
                partnerIsTold = true
                return .endPartner(peerEnd)
            }
        }
        if !closeIsSent {
            if side == .dialer, peerEnd != nil {
                closeIsSent = true
            } else if partnerEnd != nil || isStalled || (peerEnd != nil && partnerIsTold) {
                closeIsSent = true
                return .sendClose(partnerIsBroken || isStalled ? .broken : .orderly)
            }
        }
        if side == .dialer, closeIsSent, peerEnd == nil, !isAwaiting {
            isAwaiting = true
            return .awaitClose
        }
        if closeIsSent, partnerIsTold || partnerEnd == .gone, side == .dialed || peerEnd != nil {
            isForgotten = true
            return .forget
        }
        return nil
    }
}
