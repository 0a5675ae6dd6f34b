import FoundationEssentials
import KubernetesAPI
import KubernetesClient
import PrometheusMetrics
import Synchronization
import TestKubernetes
import Testing

@testable import ControllerRuntime

@Suite struct LeaderElectionTests {
    private let date = Date(timeIntervalSince1970: 1_800_000_000.5)

    private func lease(_ holder: String, renewed: String = "r", transitions: Int? = 3) -> LeaseSpec {
        LeaseSpec(
            holderIdentity: holder, leaseDurationSeconds: 15, acquireTime: "a", renewTime: renewed, leaseTransitions: transitions)
    }

    @Test func `Without a Lease one is made, with times of six digits`() {
        var election = LeaderElection(identity: "me")
        #expect(
            election.decide(nil, now: .zero, date: date)
                == .create(
                    LeaseSpec(
                        holderIdentity: "me", leaseDurationSeconds: 15, acquireTime: "2027-01-15T08:00:00.500000Z",
                        renewTime: "2027-01-15T08:00:00.500000Z", leaseTransitions: 0)))
    }

    @Test func `Another's Lease is respected as long as it changes, by the local clock alone`() {
        var election = LeaderElection(identity: "me")
        // What it says of its own time, long past or far ahead, means nothing.
        #expect(election.decide(lease("other", renewed: "1999-01-01T00:00:00.000000Z"), now: .zero, date: date) == .wait(holder: "other"))
        #expect(election.decide(lease("other", renewed: "2"), now: .seconds(14), date: date) == .wait(holder: "other"))
        #expect(election.decide(lease("other", renewed: "2"), now: .seconds(28), date: date) == .wait(holder: "other"))
        guard case .update(let taken) = election.decide(lease("other", renewed: "2"), now: .seconds(29), date: date) else {
            Issue.record("not taken")
            return
        }
        #expect(taken.holderIdentity == "me")
        #expect(taken.leaseTransitions == 4)
    }

    @Test func `A released Lease is free at once, an own one is renewed`() {
        var election = LeaderElection(identity: "me")
        guard case .update(let taken) = election.decide(lease(""), now: .zero, date: date) else {
            Issue.record("not taken")
            return
        }
        election.wrote(taken, now: .zero)
        #expect(election.isLeader)
        guard case .update(let renewed) = election.decide(lease("me"), now: .seconds(2), date: date) else {
            Issue.record("not renewed")
            return
        }
        #expect(renewed.acquireTime == "a")
        #expect(renewed.leaseTransitions == 3)
        election.wrote(renewed, now: .seconds(2))
        #expect(election.release(date: date)?.holderIdentity == "")
        #expect(election.release(date: date)?.leaseDurationSeconds == 1)
        election.wrote(lease("other"), now: .seconds(3))
        #expect(election.release(date: date) == nil)
    }
}

/// Against a server that keeps one Lease, and answers only some of those who write it.
@Suite(.timeLimit(.minutes(10))) struct SlowLeaseTests {
    private final class LeaseServer: Sendable {
        private let state = Mutex((lease: String?.none, holders: [String]()))

        /// What each write made the holder.
        var holders: [String] { state.withLock { $0.holders } }

        /// Takes every write. The first is not answered.
        func answer(_ request: StubServer.Request) -> [StubServer.Step] {
            state.withLock { state in
                guard request.method == "POST" || request.method == "PUT" else {
                    return [state.lease.map { .answer(200, $0) } ?? .answer(404, #"{"kind":"Status","reason":"NotFound","code":404}"#)]
                }
                state.lease = request.body
                state.holders.append(request.body.contains(#""holderIdentity":"me""#) ? "me" : "")
                return [state.holders.count == 1 ? .silence : .answer(200, request.body)]
            }
        }
    }

    private func run(
        _ timing: LeaderElection.Timing,
        _ body: @escaping @Sendable (LeaderElector, LeaseServer) async throws -> Void
    ) async throws {
        let leases = LeaseServer()
        try await StubServer.with { request, _ in
            leases.answer(request)
        } _: { server in
            let configuration = ClientConfiguration(
                server: server.url, certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: nil)
            try await KubernetesClient.with(configuration, logger: .quiet) { client in
                let elector = LeaderElector(
                    client: client, namespace: "n", name: "lead", identity: "me", logger: .quiet, timing: timing,
                    registry: MetricsRegistry())
                try await body(elector, leases)
            }
        }
    }

    @Test func `A Lease whose answer comes too late is not led on, but taken again`() async throws {
        let timing = LeaderElection.Timing(
            leaseDuration: .seconds(3), renewDeadline: .seconds(2), retryPeriod: .milliseconds(200), releaseDeadline: .seconds(20))
        try await run(timing) { elector, leases in
            let start = ContinuousClock.now
            try await elector.run {
                // Not the write that hung, nor before it was given up.
                #expect(leases.holders.count >= 2)
                #expect(.now - start >= timing.acquireDeadline)
            }
            #expect(leases.holders.first == "me" && leases.holders.last == "")
        }
    }

    @Test func `A replica that is cancelled while it takes the Lease gives it up`() async throws {
        // Its deadline is not what ends the attempt.
        let timing = LeaderElection.Timing(
            leaseDuration: .seconds(300), renewDeadline: .seconds(200), retryPeriod: .seconds(10), releaseDeadline: .seconds(20))
        try await run(timing) { elector, leases in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await elector.run { Issue.record("it leads") } }
                try await eventually("the Lease was written") { leases.holders == ["me"] }
                group.cancelAll()
                try await group.waitForAll()
            }
            #expect(leases.holders == ["me", ""])
        }
    }
}

/// Against a real kube-apiserver and etcd.
@Suite(.integration, .kubernetes, .timeLimit(.minutes(10))) struct LeaderElectorTests {
    private let quick = LeaderElection.Timing(
        leaseDuration: .seconds(3), renewDeadline: .seconds(2), retryPeriod: .milliseconds(200), releaseDeadline: .seconds(20))
    /// One that is given up is taken at the next try all the same, and none is lost to a busy computer.
    private let lasting = LeaderElection.Timing(
        leaseDuration: .seconds(60), renewDeadline: .seconds(50), retryPeriod: .milliseconds(200), releaseDeadline: .seconds(20))

    private func elector(
        _ client: KubernetesClient, _ namespace: String, _ identity: String, timing: LeaderElection.Timing? = nil
    ) -> LeaderElector {
        LeaderElector(
            client: client, namespace: namespace, name: "lead", identity: identity, logger: .quiet, timing: timing ?? quick,
            registry: MetricsRegistry())
    }

    private final class Turns: Sendable {
        private let state = Mutex((leading: 0, all: Set<String>()))

        /// False when another one leads.
        func begin(_ name: String) -> Bool {
            state.withLock {
                $0.leading += 1
                $0.all.insert(name)
                return $0.leading == 1
            }
        }

        func end() { state.withLock { $0.leading -= 1 } }
        var all: Set<String> { state.withLock { $0.all } }
    }

    @Test func `One leads at a time, and the next soon after it goes`() async throws {
        try await TestKubernetes.current().withClient { client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            let turns = Turns()
            let electors = (0..<3).map { elector(client, namespace, "r\($0)", timing: lasting) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (number, elector) in electors.enumerated() {
                    group.addTask {
                        try await elector.run {
                            #expect(turns.begin("r\(number)"))
                            // Long enough for several renewals.
                            try await Task.sleep(for: .seconds(1))
                            turns.end()
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(turns.all.count == 3)
            let lease = try await client.get(Lease.self, "lead", namespace: namespace)
            #expect(lease.spec?.holderIdentity ?? "" == "")
            #expect(lease.spec?.leaseTransitions == 2)
        }
    }

    @Test func `A leader whose Lease is taken stops`() async throws {
        try await TestKubernetes.current().withClient { client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            let elector = elector(client, namespace, "me")
            let (leads, stopped) = (Latch(), Latch())
            let running = Task {
                try await elector.run {
                    leads.open()
                    defer { stopped.open() }
                    try await Task.sleep(for: .seconds(60))
                }
            }
            try await leads.wait()
            try await retryOnConflict {
                var lease = try await client.get(Lease.self, "lead", namespace: namespace)
                lease.spec?.holderIdentity = "thief"
                _ = try await client.update(lease)
            }
            await #expect(throws: LeadershipLost.self) { try await running.value }
            #expect(stopped.isOpen)
            #expect(try await client.get(Lease.self, "lead", namespace: namespace).spec?.holderIdentity == "thief")
        }
    }

    @Test func `A leader that cannot reach the server stops before its Lease runs out`() async throws {
        try await TestKubernetes.with { cluster in
            try await cluster.withClient { client in
                // Nor is it to wait long for a server that does not take the Lease back.
                var timing = quick
                timing.releaseDeadline = .milliseconds(200)
                let elector = elector(client, "default", "me", timing: timing)
                let leads = Latch()
                let running = Task {
                    try await elector.run {
                        leads.open()
                        try await Task.sleep(for: .seconds(60))
                    }
                }
                try await leads.wait()
                try cluster.freeze()
                await #expect(throws: LeadershipLost.self) { try await running.value }
                try cluster.thaw()
            }
        }
    }

    @Test func `A replica that is cancelled while it waits leaves the other's Lease alone`() async throws {
        try await TestKubernetes.current().withClient { client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            let leader = elector(client, namespace, "leader", timing: lasting)
            let waiting = elector(client, namespace, "waiting")
            try await leader.run {
                let task = Task { try await waiting.run { Issue.record("two lead") } }
                try await Task.sleep(for: .milliseconds(500))
                task.cancel()
                try await task.value
                #expect(try await client.get(Lease.self, "lead", namespace: namespace).spec?.holderIdentity == "leader")
            }
        }
    }

    @Test func `A cancelled leader gives its Lease up after its work has ended`() async throws {
        try await TestKubernetes.current().withClient { client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            let elector = elector(client, namespace, "me")
            let leads = Latch()
            let running = Task {
                try await elector.run {
                    leads.open()
                    try await Task.sleep(for: .seconds(60))
                }
            }
            try await leads.wait()
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(try await client.get(Lease.self, "lead", namespace: namespace).spec?.holderIdentity ?? "" == "")
        }
    }
}
