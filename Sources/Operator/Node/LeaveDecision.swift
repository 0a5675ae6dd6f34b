import Foundation

/// What a Machine that leaves its tenant does next. Pure.
enum LeaveDecision: Equatable {
    /// The tenant's API does not answer yet. The opening of its session brings the Machine back, or the end of the pool's patience.
    case wait(until: Date?)
    /// Its pods are moved away, then it is taken out of the tenant, then handed over.
    case drain
    /// To be cleaned, whatever the tenant's API says.
    case handOver

    /// How long the tenant's API is asked about a Machine that never was a node, where a drain may take for ever.
    private static let patienceWithoutPods: TimeInterval = 600

    /// - Parameters:
    ///   - isAlive: whether the cluster is there and stays: its deletion never drains and never asks the tenant's API.
    ///   - mayHavePods: whether it was a node.
    ///   - isRecorded: whether the tenant has to forget it although it never was a node, and nothing later would see to that.
    ///   - hasSession: whether the tenant's API answered since this operator started.
    ///   - since: when it began to leave.
    ///   - timeout: the pool's patience; 0 for ever.
    init(isAlive: Bool, mayHavePods: Bool, isRecorded: Bool = false, hasSession: Bool, since: Date, timeout: TimeInterval, now: Date) {
        let patience: TimeInterval? = timeout > 0 ? timeout : mayHavePods ? nil : Self.patienceWithoutPods
        let deadline = patience.map { since.addingTimeInterval($0) }
        if !isAlive || deadline.map({ now >= $0 }) == true {
            self = .handOver
        } else if hasSession {
            self = .drain
        } else {
            self = mayHavePods || isRecorded ? .wait(until: deadline) : .handOver
        }
    }
}
