import AsyncHTTPClient
import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy.standard

    private func refusal(_ status: Int, after: Duration? = nil, cause: String? = nil) -> KubernetesError {
        var error = KubernetesError(code: .refused, verb: "get", object: "pods", httpStatus: status, retryAfter: after)
        if let cause { error.status = Status(details: StatusDetails(causes: [StatusCause(reason: cause)])) }
        return error
    }

    @Test(arguments: [200, 400, 401, 403, 404, 405, 409, 410, 422, 501]) func `What is decided stays decided`(status: Int) {
        #expect(policy.decide(refusal(status), attempt: 1, repeatable: true) == .giveUp)
    }

    @Test(arguments: [500, 502, 503, 504]) func `Server failures are retried where that does no harm`(status: Int) {
        #expect(policy.decide(refusal(status), attempt: 1, repeatable: true) == .retry(after: nil))
        #expect(policy.decide(refusal(status), attempt: 1, repeatable: false) == .giveUp)
        #expect(policy.decide(refusal(status), attempt: 5, repeatable: true) == .giveUp)
    }

    @Test func `A server that is not there yet says so, and did nothing`() {
        #expect(policy.decide(refusal(503, after: .seconds(1)), attempt: 1, repeatable: false) == .retry(after: .seconds(1)))
    }

    @Test func throttling() {
        #expect(policy.decide(refusal(429, after: .seconds(3)), attempt: 1, repeatable: false) == .retry(after: .seconds(3)))
        #expect(policy.decide(refusal(429, after: .seconds(3)), attempt: 9, repeatable: false) == .retry(after: .seconds(3)))
        #expect(policy.decide(refusal(429, after: .seconds(3)), attempt: 10, repeatable: false) == .giveUp)
        #expect(policy.decide(refusal(429, after: .seconds(86400)), attempt: 1, repeatable: false) == .retry(after: .seconds(60)))
        #expect(policy.decide(refusal(429), attempt: 1, repeatable: false) == .retry(after: nil))
    }

    @Test func `A disruption budget's no is an answer`() {
        let error = refusal(429, after: .seconds(10), cause: "DisruptionBudget")
        #expect(policy.decide(error, attempt: 1, repeatable: false) == .giveUp)
    }

    @Test func `Broken connections are retried when the request may arrive twice, or never arrived`() {
        let error = KubernetesError(code: .unreachable, verb: "create", object: "pods")
        #expect(policy.decide(error, attempt: 1, repeatable: true) == .retry(after: nil))
        #expect(policy.decide(error, attempt: 1, repeatable: false) == .giveUp)
        #expect(policy.decide(error, attempt: 1, repeatable: false, unsent: true) == .retry(after: nil))
        #expect(policy.decide(error, attempt: 5, repeatable: true) == .giveUp)
        let expired = KubernetesError(code: .credentials, verb: "get", object: "pods")
        #expect(policy.decide(expired, attempt: 1, repeatable: true, unsent: true) == .giveUp)
    }

    /// What a creation met beside an API server that was rolled.
    @Test func `A request that found its connection closing was not sent`() {
        let creation = APIRequest(.post, path: "/api/v1/namespaces/default/pods", query: [])
        #expect(TransportFailure(HTTPClientError.cancelled, of: creation, to: "host").unsent)
        #expect(!TransportFailure(HTTPClientError.remoteConnectionClosed, of: creation, to: "host").unsent)
    }

    @Test func `Backoff grows to its limit, spread over half of each step`() {
        var backoff = Backoff(initial: .milliseconds(100), factor: 2, limit: .seconds(1))
        for step in [100, 200, 400, 800, 1000, 1000] {
            let wait = backoff.next()
            #expect(wait >= .milliseconds(step) / 2 && wait <= .milliseconds(step))
        }
        backoff.reset()
        #expect(backoff.next() <= .milliseconds(100))
    }

    @Test func `Conflicts are for the caller to resolve, again and again but not for ever`() async throws {
        let conflict = KubernetesError(code: .refused, verb: "update", object: "pods a", httpStatus: 409)
        var calls = 0
        let result = try await retryOnConflict {
            calls += 1
            if calls < 3 { throw conflict }
            return calls
        }
        #expect(result == 3)
        calls = 0
        await #expect(throws: KubernetesError.self) {
            try await retryOnConflict(attempts: 2) {
                calls += 1
                throw conflict
            }
        }
        #expect(calls == 2)
    }
}
