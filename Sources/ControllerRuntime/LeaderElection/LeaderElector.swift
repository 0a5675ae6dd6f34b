import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import Logging
import PrometheusMetrics
import ServiceLifecycle

/// The Lease could not be renewed in time: another replica may lead now, so this one has stopped.
public struct LeadershipLost: Error, CustomStringConvertible {
    public var lease: String

    public var description: String {
        "the Lease \(lease) could not be renewed in time, so another replica may lead now; restart this one"
    }
}

/// Lets one of several replicas work at a time, by a Lease.
public final class LeaderElector: Sendable {
    private let client: KubernetesClient
    private let namespace: String
    private let name: String
    private let identity: String
    private let timing: LeaderElection.Timing
    private let logger: Logger
    private let leading: Gauge
    private let start = ContinuousClock.now

    /// - Parameter identity: unlike any other replica's, such as the pod's name.
    public convenience init(client: KubernetesClient, namespace: String, name: String, identity: String, logger: Logger) {
        self.init(
            client: client, namespace: namespace, name: name, identity: identity, logger: logger, timing: .init(), registry: .shared)
    }

    init(
        client: KubernetesClient, namespace: String, name: String, identity: String, logger: Logger,
        timing: LeaderElection.Timing, registry: MetricsRegistry
    ) {
        self.client = client
        self.namespace = namespace
        self.name = name
        self.identity = identity
        self.timing = timing
        var logger = logger
        logger[metadataKey: "lease"] = "\(namespace)/\(name)"
        self.logger = logger
        leading = registry.gauge(
            name: "leader_election_master_status", help: "Whether the reporting replica is the leader of the lease: 1 or 0",
            labels: ["name": name])
    }

    /// Waits for leadership, then runs `whileLeading` until it returns.
    ///
    /// When the Lease is lost, `whileLeading` is cancelled and `LeadershipLost` thrown after it has returned. On a graceful
    /// shutdown or cancellation the Lease is held until `whileLeading` has returned, and then given up for the next one.
    public func run(whileLeading: @escaping @Sendable () async throws -> Void) async throws {
        let acquired: ContinuousClock.Instant
        do {
            acquired = try await cancelWhenGracefulShutdown { try await self.acquire() }
        } catch is CancellationError {
            // An attempt that was cut short may have reached the server: without this, nobody would lead until it expires.
            return await release()
        }
        leading.set(1)
        logger.info("became leader", metadata: ["identity": "\(identity)"])
        let result = await lead(since: acquired, whileLeading)
        leading.set(0)
        await release()
        try result.get()
    }

    /// Returns when the Lease is held, with the instant from which it is good for `leaseDuration` at least.
    private func acquire() async throws -> ContinuousClock.Instant {
        var election = LeaderElection(identity: identity, timing: timing)
        var holder: String?
        while true {
            // From before the attempt: the Lease may have been written long before its answer arrives.
            let attempted = ContinuousClock.now
            do {
                let (decision, next, _) = try await attempt(election, nil, before: attempted + timing.acquireDeadline)
                election = next
                guard case .wait(let current) = decision else { return attempted }
                if current != holder { logger.info("another replica leads", metadata: ["leader": "\(current)"]) }
                holder = current
            } catch is TooLate {
                logger.warning("cannot take the lease: the server is too slow; trying again")
            } catch let error as KubernetesError {
                // A conflict is the other replica being quicker; anything else is worth a word.
                if !error.isConflict, !error.isAlreadyExists {
                    logger.warning("cannot take the lease; trying again", metadata: ["error": "\(error)"])
                }
            }
            // Spread, so that replicas do not meet at each attempt.
            try await Task.sleep(for: timing.retryPeriod * Double.random(in: 1...1.2))
        }
    }

    /// Runs the work and renews beside it; whichever ends first ends the other.
    private func lead(
        since acquired: ContinuousClock.Instant, _ work: @escaping @Sendable () async throws -> Void
    ) async -> Result<Void, any Error> {
        await withTaskGroup(of: Result<Void, any Error>?.self) { group in
            group.addTask {
                do {
                    return .success(try await work())
                } catch {
                    return .failure(error)
                }
            }
            group.addTask { await self.renew(since: acquired) ? .failure(LeadershipLost(lease: "\(self.namespace)/\(self.name)")) : nil }
            var outcome: Result<Void, any Error>?
            for await ended in group {
                // The first that has something to say: the renewing task ends without a word when it was cancelled.
                outcome = outcome ?? ended
                group.cancelAll()
            }
            return outcome ?? .failure(CancellationError())
        }
    }

    /// True when the Lease is lost; false when the task was cancelled.
    private func renew(since acquired: ContinuousClock.Instant) async -> Bool {
        var election = LeaderElection(identity: identity, timing: timing)
        // As it was written last: a renewal need not read it first.
        var written: Lease?
        var renewed = acquired
        while !Task.isCancelled {
            try? await Task.sleep(for: timing.retryPeriod)
            if Task.isCancelled { return false }
            let deadline = renewed + timing.renewDeadline
            // From before the attempt: the others count from when the server took it, which is later.
            let attempted = ContinuousClock.now
            guard attempted < deadline else { return true }
            do {
                let lease = written
                written = nil
                let decision: LeaderElection.Decision
                (decision, election, written) = try await attempt(election, lease, before: deadline)
                if case .wait(let holder) = decision {
                    logger.error("another replica took the lease", metadata: ["leader": "\(holder)"])
                    return true
                }
                renewed = attempted
            } catch is TooLate {
                return true
            } catch {
                if Task.isCancelled { return false }
                logger.warning("cannot renew the lease; trying again", metadata: ["error": "\(error)"])
            }
        }
        return false
    }

    /// An attempt did not end by its deadline. What it wrote may have reached the server all the same.
    private struct TooLate: Error {}

    /// An attempt that ends by the deadline: a request that hangs must not hold the leader past it.
    private func attempt(
        _ election: LeaderElection, _ written: Lease?, before deadline: ContinuousClock.Instant
    ) async throws -> (LeaderElection.Decision, LeaderElection, Lease?) {
        try await withThrowingTaskGroup(of: (LeaderElection.Decision, LeaderElection, Lease?)?.self) { group in
            group.addTask {
                var (election, lease) = (election, written)
                let decision = try await self.attempt(&election, &lease)
                return (decision, election, lease)
            }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let outcome = first else { throw TooLate() }
            return outcome
        }
    }

    /// Takes or renews the Lease when that is ours to do, and leaves it as it was written.
    private func attempt(_ election: inout LeaderElection, _ lease: inout Lease?) async throws -> LeaderElection.Decision {
        if let written = lease {
            do {
                return try await decide(&election, over: written, &lease)
            } catch let error as KubernetesError where error.isConflict || error.isNotFound {
                // Another wrote in between, or took it away: what is there says what to do.
            }
        }
        return try await decide(&election, over: try await client.find(Lease.self, name, namespace: namespace), &lease)
    }

    private func decide(
        _ election: inout LeaderElection, over present: Lease?, _ written: inout Lease?
    ) async throws -> LeaderElection.Decision {
        written = nil
        let decision = election.decide(present?.spec, now: .now - start, date: Date())
        switch decision {
        case .wait: break
        case .create(let spec):
            written = try await client.create(Lease(metadata: ObjectMeta(name: name, namespace: namespace), spec: spec))
            election.wrote(written?.spec, now: .now - start)
        case .update(let spec):
            guard var lease = present else { break }
            lease.spec = spec
            written = try await client.update(lease)
            election.wrote(written?.spec, now: .now - start)
        }
        return decision
    }

    /// Gives the Lease up, if it is still ours. It goes on when the caller was cancelled, which is when it matters, but not long.
    private func release() async {
        let giveUp = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.releaseNow() }
                group.addTask { try await Task.sleep(for: self.timing.releaseDeadline) }
                defer { group.cancelAll() }
                try await group.next()
            }
        }
        do {
            try await giveUp.value
        } catch {
            logger.debug("cannot release the lease; it will expire", metadata: ["error": "\(error)"])
        }
    }

    private func releaseNow() async throws {
        // A renewal that was cut short may reach the server after it was read here: then the release is tried again.
        while true {
            guard var lease = try await client.find(Lease.self, name, namespace: namespace) else { return }
            var election = LeaderElection(identity: identity, timing: timing)
            election.wrote(lease.spec, now: .zero)
            guard let spec = election.release(date: Date()) else { return }
            lease.spec = spec
            do {
                _ = try await client.update(lease)
                logger.info("released the lease")
                return
            } catch let error as KubernetesError where error.isConflict {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
