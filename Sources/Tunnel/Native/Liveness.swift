import NIOCore

/// When to ping the other end, and when to hold it for dead: a peer that lost its power sends no FIN.
struct Liveness {
    /// How often a silent peer is pinged, and after what silence it is held for dead.
    struct Patience {
        var ping: TimeAmount
        var limit: TimeAmount

        /// A silence of 15 s is noticed within 17. A peer may be pinged as often as this in gRPC for Go, too, unless it is a server.
        static let usual = Patience(ping: .seconds(6), limit: .seconds(15))
        /// Upstream's server ends a connection that pings it more often than each 30 s.
        static let withUpstreamsServer = Patience(ping: .seconds(32), limit: .seconds(70))

        /// How often to look, so that a silence is noticed soon after the limit.
        var lookInterval: TimeAmount { .nanoseconds(ping.nanoseconds / 4) }
    }

    enum Verdict: Equatable {
        case wait
        case ping(UInt64)
        case dead(seconds: Int)
    }

    private let patience: Patience
    private var lastHeard: NIODeadline
    private var lastPing: NIODeadline?
    private var token: UInt64 = 0
    private var shortest: TimeAmount?

    /// With `measuring` the first look pings at once, which tells the round trip.
    init(now: NIODeadline, patience: Patience = .usual, measuring: Bool = true) {
        self.patience = patience
        lastHeard = now
        lastPing = measuring ? nil : .distantPast
    }

    mutating func heard(at now: NIODeadline) { lastHeard = now }

    mutating func look(at now: NIODeadline) -> Verdict {
        let silence = now - lastHeard
        if silence >= patience.limit { return .dead(seconds: Int(silence.nanoseconds / 1_000_000_000)) }
        if let lastPing {
            guard now - lastPing >= patience.ping, silence >= .nanoseconds(patience.ping.nanoseconds / 2) else { return .wait }
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
