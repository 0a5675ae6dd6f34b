import Foundation

/// What a Machine that leaves its tenant does next. Pure.
enum LeaveDecision: Equatable {
    /// The tenant's API does not answer yet. The opening of its session brings the Machine back, or the end of the pool's patience.
    case wait(until: Date?)
    /// Its pods are moved away, then it is taken out of the tenant, then handed over; no later than then in any case.
    case drain(until: Date?)
    /// To be cleaned, whatever the tenant's API says.
    case handOver(Cause)

    enum Cause: Equatable {
        case clusterGone, timedOut, poweredOff
        /// Its node was looked at and could not be mended: asked to go, its pods would not hear it.
        case notMended
        /// Its kubelet has been silent for so long that nothing Kubernetes is asked for happens on it any more.
        case silent
        case neverWasNode
    }

    /// How long the tenant's API is asked about a Machine that never was a node, where a drain may take for ever.
    private static let patienceWithoutPods: TimeInterval = 600
    /// How long a Node that is not Ready is waited for. By then Kubernetes itself has marked its pods for deletion, whatever their
    /// PodDisruptionBudgets say (tolerationSeconds of `not-ready` and `unreachable` are 300 unless set).
    static let patienceWithSilence: TimeInterval = 300

    /// - Parameters:
    ///   - isAlive: whether the cluster is there and stays: its deletion never drains and never asks the tenant's API.
    ///   - mayHavePods: whether it was a node.
    ///   - isRecorded: whether the tenant has to forget it although it never was a node, and nothing later would see to that.
    ///   - isPoweredOff: whether somebody vouches that it is off.
    ///   - isNotMended: whether its place was given to another because its node could not be mended.
    ///   - hasSession: whether the tenant's API answered since this operator started.
    ///   - silentSince: since when its Node has not been Ready; nil when it is.
    ///   - since: when it began to leave.
    ///   - timeout: the pool's patience; 0 for ever.
    init(
        isAlive: Bool, mayHavePods: Bool, isRecorded: Bool = false, isPoweredOff: Bool = false, isNotMended: Bool = false,
        hasSession: Bool, silentSince: Date? = nil, since: Date, timeout: TimeInterval, now: Date
    ) {
        let patience: TimeInterval? = timeout > 0 ? timeout : mayHavePods ? nil : Self.patienceWithoutPods
        let deadline = patience.map { since.addingTimeInterval($0) }
        let silence = mayHavePods ? silentSince?.addingTimeInterval(Self.patienceWithSilence) : nil
        if !isAlive {
            self = .handOver(.clusterGone)
        } else if isPoweredOff {
            self = .handOver(.poweredOff)
        } else if isNotMended {
            self = .handOver(.notMended)
        } else if let deadline, now >= deadline {
            self = .handOver(.timedOut)
        } else if let silence, now >= silence {
            self = .handOver(.silent)
        } else if hasSession {
            self = .drain(until: [deadline, silence].compactMap(\.self).min())
        } else {
            self = mayHavePods || isRecorded ? .wait(until: deadline) : .handOver(.neverWasNode)
        }
    }
}
