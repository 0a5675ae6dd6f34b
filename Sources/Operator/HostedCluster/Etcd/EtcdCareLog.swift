import Synchronization

/// When each etcd was last cared for by this operator. What a restart forgets is found out again: a database that was defragmented just now
/// has no holes.
final class EtcdCareLog: Sendable {
    private struct Record {
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

    func forget(_ uid: String) { records.withLock { $0[uid] = nil } }
}
