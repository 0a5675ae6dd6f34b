import Synchronization

/// What is counted while servers are killed.
final class ChaosCounts: Sendable {
    static let definition = [
        "A server lives from the first good connection after its start until just before it is killed. Counted are connections that",
        "were opened through a server that lived. One that is refused, breaks off, answers other than it was asked or not in time,",
        "- and whose server was killed under it, is lost with its own server;",
        "- and whose server held no agent when it was opened, so that a peer carried it, and that ended within 2 s after another",
        "  server was killed, is lost with that peer;",
        "- else it failed.",
    ]

    /// How a connection began.
    struct Opening: Sendable {
        var life: LifeLog.Life
        var isPassedOn: Bool
        var start = ContinuousClock.now
    }

    struct Count {
        var all = 0
        var passedOn = 0
        var failed = 0
        var lostWithServer = 0
        var lostWithPeer = 0
        var longest = Duration.zero

        func summary(_ name: String) -> String {
            "\(name) \(all) (\(passedOn) passed on), failed \(failed), lost with their own server \(lostWithServer), with the peer "
                + "that carried them \(lostWithPeer), longest \(longest.seconds) s"
        }
    }

    struct Totals {
        var kills = 0
        var dials = Count()
        var sessions = Count()
        var problems: [String] = []

        var lines: [String] { ["servers killed: \(kills)", dials.summary("dials"), sessions.summary("sessions")] }
    }

    private let totals = Mutex(Totals())

    var current: Totals { totals.withLock { $0 } }

    func killed() { totals.withLock { $0.kills += 1 } }
    func dialled(_ problem: String?, _ opening: Opening, _ log: LifeLog) { add(problem, "dial", \.dials, opening, log) }
    func session(_ problem: String?, _ opening: Opening, _ log: LifeLog) { add(problem, "session", \.sessions, opening, log) }

    private func add(
        _ problem: String?, _ kind: String, _ count: sending WritableKeyPath<Totals, Count>, _ opening: Opening, _ log: LifeLog
    ) {
        let time = ContinuousClock.now - opening.start
        let server = opening.life.server
        let death = log.lastDeath(beside: server)
        let isOver = log.isOver(opening.life)
        let isPeers = opening.isPassedOn && death.map { $0.ago < LifeLog.aftermath } == true
        let words = problem.map { problem in
            let beside = death.map { "\($0.server) was killed \($0.ago.seconds) s before" } ?? "nobody was killed"
            return "\(kind) through \(server)\(opening.isPassedOn ? ", passed on" : ""), after \(time.seconds) s, \(beside): \(problem)"
        }
        totals.withLock { totals in
            totals[keyPath: count].all += 1
            totals[keyPath: count].longest = max(totals[keyPath: count].longest, time)
            if opening.isPassedOn { totals[keyPath: count].passedOn += 1 }
            guard let words else { return }
            if isOver {
                totals[keyPath: count].lostWithServer += 1
            } else if isPeers {
                totals[keyPath: count].lostWithPeer += 1
            } else {
                totals[keyPath: count].failed += 1
                totals.problems.append(words)
            }
        }
        if let words, !isOver { say("\(isPeers ? "lost with its peer" : "FAILED"): \(words)") }
    }
}
