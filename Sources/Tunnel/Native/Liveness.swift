import NIOCore

/// When to ping the other end, and when to hold it for dead: a peer that lost its power sends no FIN.
struct Liveness {
    static let pingInterval = TimeAmount.seconds(6)
    /// Any frame counts as a sign of life. Looked at four times a `pingInterval`, so a silence is noticed within 17 s.
    static let silenceLimit = TimeAmount.seconds(15)
    static let lookInterval = TimeAmount.nanoseconds(pingInterval.nanoseconds / 4)

    enum Verdict: Equatable {
        case wait
        case ping(UInt64)
        case dead(seconds: Int)
    }

    private var lastHeard: NIODeadline
    private var lastPing: NIODeadline?
    private var token: UInt64 = 0
    private var shortest: TimeAmount?

    init(now: NIODeadline) { lastHeard = now }

    mutating func heard(at now: NIODeadline) { lastHeard = now }

    /// The first look pings at once, which measures the round trip.
    mutating func look(at now: NIODeadline) -> Verdict {
        let silence = now - lastHeard
        if silence >= Self.silenceLimit { return .dead(seconds: Int(silence.nanoseconds / 1_000_000_000)) }
        if let lastPing {
            guard now - lastPing >= Self.pingInterval, silence >= .nanoseconds(Self.pingInterval.nanoseconds / 2) else { return .wait }
        }
        lastPing = now
        token += 1
        return .ping(token)
    }

    /// The shortest round trip so far: a ping that waits behind data tells more of the data. Before the first answer, a guess.
    var roundTrip: TimeAmount { shortest ?? .milliseconds(1) }

    /// Measures, if this answers the last ping.
    mutating func answered(_ token: UInt64, at now: NIODeadline) {
        guard let lastPing, token == self.token else { return }
        shortest = min(shortest ?? now - lastPing, now - lastPing)
    }
}

/// The other end of a connection stopped answering.
struct PeerSilent: Error, CustomStringConvertible {
    var seconds: Int
    var description: String { "nothing was heard from the other end for \(seconds) s" }
}
