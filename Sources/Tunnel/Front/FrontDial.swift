import NIOCore

/// A dial that a front end asked for: within the limits, answered in time, and counted, whatever protocol asked.
final class FrontDial {
    /// kube-apiserver waits for an answer without a limit of its own, so there is one here.
    static let answerTime = TimeAmount.milliseconds(7_500)

    private let limits: FrontLimits
    private let counters: TunnelCounters
    private let answer: (Result<any RelayEnd, DialFailure>) -> Void
    private let asked = NIODeadline.now()
    private var isUnderWay = false
    private var pending: (any PendingDial)?
    private var deadline: Scheduled<Void>?

    /// `answer` is called once, never before `start` has returned, and never after `abandon`.
    init(limits: FrontLimits, counters: TunnelCounters, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) {
        self.limits = limits
        self.counters = counters
        self.answer = answer
    }

    /// Throws when there are dials enough, or nobody who could carry this one.
    func start(
        _ target: Endpoint, through dialer: any Dialer, schedule: (TimeAmount, @escaping () -> Void) -> Scheduled<Void>?
    ) throws(DialFailure) {
        do {
            try limits.beginDial(to: target)
            isUnderWay = true
            pending = try dialer.dial(target) { self.answered($0) }
        } catch {
            counters.dialFailed(after: end())
            throw error
        }
        deadline = schedule(Self.answerTime) {
            self.pending?.abandon()
            self.answered(.failure(.timeout("\(target): the node's agent did not answer in time")))
        }
    }

    /// The one who asked is gone.
    func abandon() {
        let pending = pending
        _ = end()
        counters.dialsAbandoned.add(1)
        pending?.abandon()
    }

    private func answered(_ result: Result<any RelayEnd, DialFailure>) {
        let time = end()
        switch result {
        case .success: counters.dialSucceeded(after: time)
        case .failure: counters.dialFailed(after: time)
        }
        answer(result)
    }

    /// Is no longer under way. Returns for how long it was.
    private func end() -> TimeAmount {
        deadline?.cancel()
        pending = nil
        if isUnderWay { limits.endDial() }
        isUnderWay = false
        return .now() - asked
    }
}
