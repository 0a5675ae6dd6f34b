import FoundationEssentials
import KubernetesAPI

/// When who leads, as client-go decides it. Pure.
///
/// Only this process's own monotonic clock is compared: another's clock, which the Lease's times come from, may be wrong. A
/// holder is given up when its record has not changed for `leaseDuration` since it was first seen here.
struct LeaderElection: Sendable {
    struct Timing: Sendable, Equatable {
        var leaseDuration: Duration = .seconds(15)
        var renewDeadline: Duration = .seconds(10)
        var retryPeriod: Duration = .seconds(2)
        /// What giving the Lease up may take.
        var releaseDeadline: Duration = .seconds(2)

        /// What an attempt to take the Lease may take: enough is left of the time to renew it for more than one try.
        var acquireDeadline: Duration { renewDeadline - retryPeriod * 2 }
    }

    enum Decision: Sendable, Equatable {
        case create(LeaseSpec)
        case update(LeaseSpec)
        /// Another one leads.
        case wait(holder: String)
    }

    let identity: String
    let timing: Timing
    private var observed: LeaseSpec?
    /// When `observed` was first seen, on the local clock.
    private var observedAt: Duration = .zero

    init(identity: String, timing: Timing = Timing()) {
        self.identity = identity
        self.timing = timing
    }

    var isLeader: Bool { observed?.holderIdentity == identity }

    /// - Parameters:
    ///   - lease: what the server has; nil when there is none.
    ///   - now: the local monotonic clock.
    ///   - date: what is written into the Lease, for people.
    mutating func decide(_ lease: LeaseSpec?, now: Duration, date: Date) -> Decision {
        let stamp = Timestamp.formatMicro(date)
        guard let lease else { return .create(spec(acquired: stamp, renewed: stamp, transitions: 0)) }
        if lease != observed {
            observed = lease
            observedAt = now
        }
        let holder = lease.holderIdentity ?? ""
        if holder == identity {
            return .update(spec(acquired: lease.acquireTime ?? stamp, renewed: stamp, transitions: lease.leaseTransitions ?? 0))
        }
        if !holder.isEmpty, now < observedAt + timing.leaseDuration { return .wait(holder: holder) }
        return .update(spec(acquired: stamp, renewed: stamp, transitions: (lease.leaseTransitions ?? 0) + 1))
    }

    /// The server took what was decided.
    mutating func wrote(_ lease: LeaseSpec?, now: Duration) {
        observed = lease
        observedAt = now
    }

    /// What the holder writes when it goes, so that the next one need not wait.
    func release(date: Date) -> LeaseSpec? {
        guard let observed, isLeader else { return nil }
        let stamp = Timestamp.formatMicro(date)
        return LeaseSpec(
            holderIdentity: "", leaseDurationSeconds: 1, acquireTime: stamp, renewTime: stamp,
            leaseTransitions: observed.leaseTransitions ?? 0)
    }

    private func spec(acquired: String, renewed: String, transitions: Int) -> LeaseSpec {
        LeaseSpec(
            holderIdentity: identity, leaseDurationSeconds: Int(timing.leaseDuration.components.seconds), acquireTime: acquired,
            renewTime: renewed, leaseTransitions: transitions)
    }
}
