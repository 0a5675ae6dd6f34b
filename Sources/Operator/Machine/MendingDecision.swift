import Foundation
import KubernetesAPI
import NestboxAPI

/// When to look at the machine of an unwell node, and when to give it up. Pure: `MachineReconciler` carries it out.
enum MendingDecision: Equatable {
    case nothing
    case wait(until: Date)
    /// - Parameter restartsAll: whether its services are started anew although they seem well, for nothing else has helped.
    case look(restartsAll: Bool)
    case giveUp
}

extension MendingDecision {
    static let attempts = 3
    /// How long a mended node may take to become Ready before it is looked at again.
    static let pause: TimeInterval = 60
    /// How long until one that did not answer is asked again.
    static let pauseUnreachable: TimeInterval = 20
    /// After this long it is given up, however often it was looked at.
    static let patience: TimeInterval = 900
    /// How often one is looked at that was given up and is not replaced: it may have come back.
    static let pauseWhenGivenUp: TimeInterval = 300

    init(_ repair: RepairStatus, isReachable: Bool = true, now: Date) {
        let attempts = repair.attempts ?? 0
        let last = repair.lastAttempt.flatMap(Timestamp.parse)
        switch repair.state {
        case .mending:
            let since = Timestamp.parse(repair.since) ?? now
            // Of an earlier illness, where it was before this one.
            let due = last.map { $0.addingTimeInterval(isReachable ? Self.pause : Self.pauseUnreachable) } ?? since
            if now < due {
                self = .wait(until: due)
            } else if attempts >= Self.attempts || now >= since.addingTimeInterval(Self.patience) {
                self = .giveUp
            } else {
                self = .look(restartsAll: attempts > 0)
            }
        case .notMended:
            let due = (last ?? Timestamp.parse(repair.since) ?? now).addingTimeInterval(Self.pauseWhenGivenUp)
            self = now < due ? .wait(until: due) : .look(restartsAll: true)
        case .mended:
            self = .nothing
        }
    }
}
