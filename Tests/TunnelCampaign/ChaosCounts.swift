import Synchronization
import TestCampaign

/// What is counted while servers are killed.
final class ChaosCounts: Sendable {
    static let definition = [
        "A server lives from when it serves and holds every agent until just before it is killed. Counted are connections that were",
        "opened through a server that lived. One that is refused, breaks off, answers other than it was asked or not in time, and whose",
        "server was killed under it, is lost with its server; else it failed.",
    ]

    /// How a connection began.
    struct Opening: Sendable {
        var life: LifeLog.Life
        var start = ContinuousClock.now
    }

    struct Count {
        var all = 0
        var failed = 0
        var lostWithServer = 0
        var longest = Duration.zero

        func summary(_ name: String) -> String {
            "\(name) \(all), failed \(failed), lost with their server \(lostWithServer), longest \(longest.seconds) s"
        }
    }

    struct Totals {
        var kills = 0
        /// From a server's start until it held every agent.
        var returned: [Duration] = []
        var dials = Count()
        var sessions = Count()
        var problems: [String] = []

        var returns: String {
            let sorted = returned.sorted()
            guard let longest = sorted.last else { return "no server came back" }
            return "every agent back after \(sorted[sorted.count / 2].seconds) s (median), \(longest.seconds) s at most"
        }

        var lines: [String] { ["servers killed: \(kills)", dials.summary("dials"), sessions.summary("sessions")] }
    }

    private let totals = Mutex(Totals())

    var current: Totals { totals.withLock { $0 } }

    func killed() { totals.withLock { $0.kills += 1 } }
    func returned(after time: Duration) { totals.withLock { $0.returned.append(time) } }
    func dialled(_ problem: String?, _ opening: Opening, _ log: LifeLog) { add(problem, "dial", \.dials, opening, log) }
    func session(_ problem: String?, _ opening: Opening, _ log: LifeLog) { add(problem, "session", \.sessions, opening, log) }

    private func add(
        _ problem: String?, _ kind: String, _ count: sending WritableKeyPath<Totals, Count>, _ opening: Opening, _ log: LifeLog
    ) {
        let time = ContinuousClock.now - opening.start
        let server = opening.life.server
        let death = log.lastDeath(beside: server)
        let isOver = log.isOver(opening.life)
        let words = problem.map { problem in
            let beside = death.map { "\($0.server) was killed \($0.ago.seconds) s before" } ?? "nobody was killed"
            return "\(kind) through \(server), after \(time.seconds) s, \(beside): \(problem)"
        }
        totals.withLock { totals in
            totals[keyPath: count].all += 1
            totals[keyPath: count].longest = max(totals[keyPath: count].longest, time)
            guard let words else { return }
            if isOver {
                totals[keyPath: count].lostWithServer += 1
            } else {
                totals[keyPath: count].failed += 1
                totals.problems.append(words)
            }
        }
        if let words, !isOver { say("FAILED: \(words)") }
    }
}
