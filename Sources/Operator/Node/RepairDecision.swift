import Foundation
import KubernetesAPI
import NestboxAPI

/// What to do about a node's repair, from what is seen of its Node. Pure: `NodeReconciler` carries it out.
enum RepairDecision: Equatable {
    case nothing
    /// It is unwell, but not for long enough yet.
    case wait(until: Date)
    /// The machine is to be looked at over SSH. An illness that comes again soon goes on where the last one ended.
    case begin(attempts: Int)
    /// The Node is Ready again.
    case mended
    /// Nobody wants it any more.
    case callOff
}

extension RepairDecision {
    /// A relapse within this time is the same illness: mending must not go on for ever.
    static let relapse: TimeInterval = 1800

    /// - Parameters:
    ///   - isReady: whether the Node is.
    ///   - since: when that was seen first.
    init(isReady: Bool, since: Date?, repair: RepairStatus?, settings: AutoRepairSpec, now: Date) {
        let isUnderWay = [.mending, .notMended].contains(repair?.state)
        guard settings.enabled == true else {
            self = isUnderWay ? .callOff : .nothing
            return
        }
        if isReady {
            self = isUnderWay ? .mended : .nothing
            return
        }
        switch repair?.state {
        case .mending, .notMended:
            self = .nothing
        case .mended, nil:
            let since = since ?? now
            let due = since.addingTimeInterval(settings.unhealthyTimeout.flatMap(GoDuration.init)?.seconds ?? 600)
            guard now >= due else {
                self = .wait(until: due)
                return
            }
            let last = repair?.lastAttempt.flatMap(Timestamp.parse)
            let isRelapse = last.map { since.timeIntervalSince($0) < Self.relapse } ?? false
            self = .begin(attempts: isRelapse ? repair?.attempts ?? 0 : 0)
        }
    }
}

extension Machine {
    /// Says that its place was given to another, and why.
    mutating func noteReplacement() {
        let why = status?.repair?.message ?? "it was not looked at"
        setCondition("Repairing", false, reason: "Replaced", message: "its place was given to another Machine: \(why)")
        status?.message = "replaced, for it was not mended: \(why)"
    }
}

extension RepairStatus {
    /// What is said of a node that is well again, and what was last found and done.
    static func mendedWords(_ words: String?) -> String { "its Node is Ready again" + (words.map { "; last found and done: \($0)" } ?? "") }
}
