import Synchronization
import TestCampaign

/// What came of all the soak's connections.
final class Tally: Sendable {
    struct Counts {
        var made: [TripKind: Int] = [:]
        var fine = 0
        /// Ended early, or not connected, by a fault that touched their way.
        var excused = 0
        var slowestAnswer = Duration.zero
        var failures: [String] = []
    }

    private let counts = Mutex(Counts())
    private let log: FaultLog
    private let servers: Set<String>
    /// Servers that hold no agent: what goes through them goes through another one too.
    private let routers: Set<String>

    init(log: FaultLog, servers: Set<String>, routers: Set<String>) {
        self.log = log
        self.servers = servers
        self.routers = routers
    }

    var current: Counts { counts.withLock { $0 } }

    func add(_ report: TripReport) {
        let problem = failure(of: report)
        counts.withLock { counts in
            counts.made[report.trip.kind, default: 0] += 1
            if let time = report.answerTime { counts.slowestAnswer = max(counts.slowestAnswer, time) }
            if case .fine = report.outcome { counts.fine += 1 } else if problem == nil { counts.excused += 1 }
            if let problem { counts.failures.append(problem) }
        }
        if let problem { say("FAILED: \(problem)") }
    }

    /// Nil when it went well or is excused.
    private func failure(of report: TripReport) -> String? {
        let (trip, start, end) = (report.trip, report.start, report.end)
        let what: String
        switch report.outcome {
        case .fine: return nil
        case .wrong(let problem): what = problem
        case .notConnected(let problem):
            // Its way is not known: excused by a fault of anybody's.
            if log.touched(nil, from: start, to: end) { return nil }
            what = "not connected: \(problem)"
        case .broken(let problem):
            // A server that has just lost its own agents passes on to the others.
            let passedOn = routers.contains(trip.server) || log.touched([trip.server], from: start, to: start)
            let way = (passedOn ? servers : [trip.server]).union(report.agent.map { [$0] } ?? [])
            if log.touched(report.agent == nil ? nil : way, from: start, to: end) { return nil }
            what = "broken: \(problem)"
        }
        return "connection \(trip.id) (\(trip.kind.rawValue), \(trip.size) bytes) through \(trip.server) and \(report.agent ?? "?"), "
            + "after \((end - start).seconds) s: \(what)"
    }
}
