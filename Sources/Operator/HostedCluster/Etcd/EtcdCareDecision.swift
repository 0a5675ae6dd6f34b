import ControlPlane

/// What an etcd needs from time to time so that its database does not fill its quota. Pure; one thing at a time.
///
/// kube-apiserver compacts every five minutes what is older than that. It cannot any more once the quota is full, as its compaction begins
/// with a write; then Nestbox does. What was compacted leaves holes in the database's file, which new data fills again: only a
/// defragmentation makes the file smaller, and the member answers nothing while it goes on.
enum EtcdCareDecision: Equatable, Sendable {
    case nothing
    /// Forgets all but the newest state.
    case compact
    case defragment(ordinal: Int)
    case disarm(EtcdAlarm)
}

/// What was seen of an etcd's space.
struct EtcdSpace {
    /// In the order of their pods.
    var members: [EtcdMember]
    /// Of those that answer, by ordinal.
    var statuses: [Int: EtcdStatus]
    var alarms: [EtcdAlarm]
    /// Bytes.
    var quota: Int64
    /// How long ago each member was defragmented, by ordinal, and the whole compacted; nothing for longer than this operator has run.
    var defragmented: [Int: Duration] = [:]
    var compacted: Duration?
}

extension EtcdSpace {
    /// Below this share of the quota an alarm is taken back, and above it a database is full enough to need room.
    private static let full = 0.8
    /// A file below this is not worth a pause.
    private static let small: Int64 = 128 << 20
    /// Between two defragmentations of one member, when nothing is wrong.
    private static let pause = Duration.seconds(3600)
    /// Between two attempts to make room when it is full.
    private static let urgentPause = Duration.seconds(300)

    var isFull: Bool { alarms.contains { $0.kind == .noSpace } }

    /// Whether that much of the quota is in use that a person should know.
    var isLow: Bool { statuses.values.contains { isMost($0.sizeInUse) } }

    private func isMost(_ size: Int64) -> Bool { Double(size) > Double(quota) * Self.full }

    /// The leader last: who is asked next then has led before.
    private var inOrder: [(ordinal: Int, status: EtcdStatus)] {
        let known = members.compactMap { member in member.ordinal.flatMap { ordinal in statuses[ordinal].map { (ordinal, $0) } } }
        return known.filter { !$0.1.isLeader } + known.filter { $0.1.isLeader }
    }

    var decision: EtcdCareDecision {
        // What a member that was taken away has left; it would keep all others from serving. One that names no member is no such thing.
        if let left = alarms.first(where: { alarm in alarm.namesMember && !members.contains { $0.id == alarm.memberID } }) {
            return .disarm(left)
        }
        guard members.allSatisfy({ !$0.isLearner }), inOrder.count == members.count, inOrder.allSatisfy(\.status.hasLeader) else {
            return .nothing
        }
        return isFull ? makingRoom : keepingTidy
    }

    private var makingRoom: EtcdCareDecision {
        if !inOrder.contains(where: { isMost($0.status.size) }), let alarm = alarms.first(where: { $0.kind == .noSpace }) {
            return .disarm(alarm)
        }
        let holed = inOrder.filter { isMost($0.status.size) && Double($0.status.sizeInUse) < Double($0.status.size) * 0.9 }
        if compacted.map({ $0 > Self.urgentPause }) ?? true { return .compact }
        let due = holed.first { isDue($0.ordinal, after: Self.urgentPause) }
        return due.map { .defragment(ordinal: $0.ordinal) } ?? .nothing
    }

    /// A lone member's pause is everybody's: it waits until the room is needed.
    private var keepingTidy: EtcdCareDecision {
        let due = inOrder.first { ordinal, status in
            let isHoled = status.sizeInUse <= status.size / 2
            let isWorthIt = members.count > 1 ? status.size >= Self.small : Double(status.size) > Double(quota) * 0.6
            return isHoled && isWorthIt && isDue(ordinal, after: Self.pause)
        }
        return due.map { .defragment(ordinal: $0.ordinal) } ?? .nothing
    }

    private func isDue(_ ordinal: Int, after pause: Duration) -> Bool { defragmented[ordinal].map { $0 > pause } ?? true }
}
