import Synchronization

/// What is counted while servers are killed.
final class ChaosCounts: Sendable {
    struct Totals {
        var kills = 0
        var dials = 0
        var failedDials = 0
        var lostDials = 0
        var sessions = 0
        var failedSessions = 0
        var lostSessions = 0
        var longest = Duration.zero
        var slowestDial = Duration.zero
        var problems: [String] = []

        var lines: [String] {
            [
                "servers killed: \(kills)",
                "dials through live servers: \(dials), failed \(failedDials), lost with their own server \(lostDials), "
                    + "slowest \(slowestDial.seconds) s",
                "sessions through live servers: \(sessions), failed \(failedSessions), lost with their own server \(lostSessions), "
                    + "longest \(longest.seconds) s",
            ]
        }
    }

    private let totals = Mutex(Totals())

    var current: Totals { totals.withLock { $0 } }

    func killed() { totals.withLock { $0.kills += 1 } }

    func dialled(_ problem: String?, during life: LifeLog.Life, _ log: LifeLog, start: ContinuousClock.Instant) {
        let time = ContinuousClock.now - start
        let failure = problem.map { describe("dial", $0, life, log, time) }
        let isOver = log.isOver(life)
        totals.withLock { totals in
            totals.dials += 1
            guard let failure else { return totals.slowestDial = max(totals.slowestDial, time) }
            if isOver { return totals.lostDials += 1 }
            totals.failedDials += 1
            totals.problems.append(failure)
        }
        if let failure, !isOver { say("FAILED: \(failure)") }
    }

    func session(_ problem: String?, during life: LifeLog.Life, _ log: LifeLog, start: ContinuousClock.Instant) {
        let time = ContinuousClock.now - start
        let failure = problem.map { describe("session", $0, life, log, time) }
        let isOver = log.isOver(life)
        totals.withLock { totals in
            totals.sessions += 1
            totals.longest = max(totals.longest, time)
            guard let failure else { return }
            if isOver { return totals.lostSessions += 1 }
            totals.failedSessions += 1
            totals.problems.append(failure)
        }
        if let failure, !isOver { say("FAILED: \(failure)") }
    }

    private func describe(_ kind: String, _ problem: String, _ life: LifeLog.Life, _ log: LifeLog, _ time: Duration) -> String {
        let death = log.lastDeath(beside: life.server).map { "\($0.server) was killed \($0.ago.seconds) s before" } ?? "nobody was killed"
        return "\(kind) through \(life.server), after \(time.seconds) s, \(death): \(problem)"
    }
}
