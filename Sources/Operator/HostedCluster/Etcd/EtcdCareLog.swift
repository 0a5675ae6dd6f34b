import Synchronization

/// When each etcd was last cared for by this operator, and what it said last when it needed nothing. What a restart forgets is found out
/// again: a database that was defragmented just now has no holes.
final class EtcdCareLog: Sendable {
    /// What an etcd said that needed nothing.
    struct Rest {
        var view: EtcdView
        var end: ContinuousClock.Instant
        /// Of the host as it was then.
        fileprivate var marks: [String]

        var left: Duration { max(ContinuousClock.now.duration(to: end), .seconds(1)) }
    }

    private struct Record {
        var rest: Rest?
        var defragmented: [Int: ContinuousClock.Instant] = [:]
        var compacted: ContinuousClock.Instant?
    }

    /// By the cluster's UID.
    private let records = Mutex<[String: Record]>([:])

    func note(_ decision: EtcdCareDecision, of uid: String) {
        records.withLock { records in
            switch decision {
            case .nothing, .disarm: break
            case .compact: records[uid, default: Record()].compacted = .now
            case .defragment(let ordinal): records[uid, default: Record()].defragmented[ordinal] = .now
            }
        }
    }

    func ages(of uid: String) -> (defragmented: [Int: Duration], compacted: Duration?) {
        let record = records.withLock { $0[uid] } ?? Record()
        return (record.defragmented.mapValues { $0.duration(to: .now) }, record.compacted?.duration(to: .now))
    }

    /// It need not be asked for that long, while the host shows of it what it shows now.
    func rest(_ view: EtcdView, _ host: EtcdHost, for time: Duration, of uid: String) {
        records.withLock { $0[uid, default: Record()].rest = Rest(view: view, end: ContinuousClock.now + time, marks: host.marks) }
    }

    /// Nil when it has to be asked.
    func rest(of uid: String, _ host: EtcdHost) -> Rest? {
        guard let rest = records.withLock({ $0[uid]?.rest }), rest.end > .now, rest.marks == host.marks else { return nil }
        return rest
    }

    /// It is asked, whatever it said before.
    func endRest(of uid: String) { records.withLock { $0[uid]?.rest = nil } }

    func forget(_ uid: String) { records.withLock { $0[uid] = nil } }
}
