import NIOCore

/// How many bytes the other end may send on a stream before it is granted more, and when it is granted how many.
///
/// A window that is a round trip's worth of bytes keeps a fast reader busy over any distance; a larger one only lets more bytes
/// wait here for a slow one. So a window begins small and doubles while its reader takes everything at once and has used up the
/// window within two round trips.
struct ReceiveWindow: Equatable {
    static let initial = 512 * 1024
    static let maximum = 16 * 1024 * 1024

    /// Of busy event loops; what a ping takes on an idle loopback says little.
    private static let shortestRoundTrip = TimeAmount.microseconds(500)

    private(set) var size = Self.initial
    /// What the other end may still send.
    private(set) var credit = Self.initial
    /// Received, passed on, and not granted anew yet.
    private var passedOn = 0
    private var hasStalled = false
    private var lastGrant: NIODeadline

    init(now: NIODeadline) { lastGrant = now }

    /// Bytes arrived; false when the other end had no credit for them.
    mutating func received(_ bytes: Int) -> Bool {
        guard bytes <= credit else { return false }
        credit -= bytes
        return true
    }

    /// The reader did not take everything at once.
    mutating func readerStalled() { hasStalled = true }

    /// The reader took `bytes`. Returns how many bytes to grant, 0 for not yet: half a window at a time, or one frame answers another.
    mutating func passedOn(_ bytes: Int, now: NIODeadline, roundTrip: TimeAmount, mayGrow: Bool) -> Int {
        passedOn += bytes
        guard passedOn >= size / 2 else { return 0 }
        var grant = passedOn
        let isFast = now - lastGrant < .nanoseconds(max(roundTrip, Self.shortestRoundTrip).nanoseconds * 2)
        if mayGrow, isFast, !hasStalled, size < Self.maximum {
            let growth = min(size, Self.maximum - size)
            size += growth
            grant += growth
        }
        hasStalled = false
        lastGrant = now
        passedOn = 0
        credit += grant
        return grant
    }
}
