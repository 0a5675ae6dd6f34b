import Testing

/// Gives a suite the run's API server; the last suite to leave stops it.
public struct KubernetesTrait: SuiteTrait, TestScoping {
    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let cluster = try await SharedKubernetes.shared.acquire()
        let outcome: Result<Void, any Error>
        do {
            try await TestKubernetes.$scoped.withValue(cluster) { try await function() }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await SharedKubernetes.shared.release()
        try outcome.get()
    }
}

extension Trait where Self == KubernetesTrait {
    /// The suite's tests need an API server.
    public static var kubernetes: Self { KubernetesTrait() }
}

extension Trait where Self == ConditionTrait {
    /// Skips where integration tests were declined and could not run anyway; without that, what is missing is a failure.
    public static var integration: Self {
        .enabled("NESTBOX_TEST_SKIP_INTEGRATION=1, and there is no Kubernetes to test with") { await TestBinaries.areWanted() }
    }
}

/// One server for all suites of a process.
private actor SharedKubernetes {
    static let shared = SharedKubernetes()

    private var users = 0
    private var server: Server?

    /// A server that runs in a task of its own until it is told to end.
    private struct Server {
        var ready: Task<TestKubernetes, any Error>
        var end: AsyncStream<Void>.Continuation
        var running: Task<Void, any Error>
    }

    func acquire() async throws -> TestKubernetes {
        users += 1
        let server = self.server ?? start()
        self.server = server
        do {
            return try await server.ready.value
        } catch {
            await release()
            throw error
        }
    }

    func release() async {
        users -= 1
        guard users == 0, let server else { return }
        self.server = nil
        server.end.finish()
        try? await server.running.value
    }

    private func start() -> Server {
        let (ended, end) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let (started, start) = AsyncThrowingStream<TestKubernetes, any Error>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let running = Task {
            do {
                try await TestKubernetes.with { cluster in
                    start.yield(cluster)
                    for await _ in ended {}
                }
                start.finish()
            } catch {
                start.finish(throwing: error)
                throw error
            }
        }
        let ready = Task<TestKubernetes, any Error> {
            for try await cluster in started { return cluster }
            throw TestKubernetesError("the API server ended before it was ready")
        }
        return Server(ready: ready, end: end, running: running)
    }
}
