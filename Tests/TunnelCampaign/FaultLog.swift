import Synchronization
import TestCampaign

/// Which members were hurt when, and so what is excused.
final class FaultLog: Sendable {
    /// A silent end is noticed in 20 s, after which an agent may wait 5 s before it connects again.
    static let recovery = Duration.seconds(30)

    private struct Entry {
        var members: Set<String>
        var start: ContinuousClock.Instant
        var end: ContinuousClock.Instant?
    }

    private let entries = Mutex<[Entry]>([])

    func begin(_ members: Set<String>) -> Int {
        entries.withLock { entries in
            entries.append(Entry(members: members, start: .now))
            return entries.count - 1
        }
    }

    func end(_ index: Int) { entries.withLock { $0[index].end = .now } }

    var count: Int { entries.withLock { $0.count } }

    /// Whether any of the members was hurt in that time, or may not have been over it yet; with nil, whether anybody was.
    func touched(_ members: Set<String>?, from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) -> Bool {
        entries.withLock { entries in
            entries.contains { entry in
                let healed = entry.end.map { $0 + Self.recovery }
                return entry.start <= end && healed.map { $0 >= start } ?? true
                    && (members.map { !$0.isDisjoint(with: entry.members) } ?? true)
            }
        }
    }
}
