import KubernetesAPI
import PrometheusMetrics
import TestKubernetes
import Testing

@testable import KubernetesClient

extension KubernetesClient {
    /// A client of a stub server, shut down at the end.
    static func with<Value>(
        _ url: String, timeouts: ClientTimeouts = ClientTimeouts(), token: String? = nil, metrics: MetricsRegistry = MetricsRegistry(),
        isolation: isolated (any Actor)? = #isolation, _ body: (KubernetesClient) async throws -> Value
    ) async throws -> Value {
        var configuration = ClientConfiguration(
            server: url, certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: token)
        configuration.timeouts = timeouts
        var retries = RetryPolicy.standard
        retries.initial = .milliseconds(1)
        let client = try KubernetesClient(configuration, userAgent: "test", logger: .quiet, retries: retries, metrics: metrics)
        do {
            let value = try await body(client)
            await client.shutdown()
            return value
        } catch {
            await client.shutdown()
            throw error
        }
    }
}

private let object = #"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"n","resourceVersion":"5"}}"#

private func status(_ code: Int, _ reason: String) -> String {
    #"{"kind":"Status","apiVersion":"v1","status":"Failure","message":"said so","reason":"\#(reason)","code":\#(code)}"#
}

/// What a real API server does rarely or never.
@Suite(.timeLimit(.minutes(10))) struct StubbedClientTests {
    @Test func `Throttled requests wait as long as they are told, also those that may not be repeated`() async throws {
        try await StubServer.with { _, before in
            before == 0 ? [.answer(429, headers: ["Retry-After": "1"], status(429, "TooManyRequests"))] : [.answer(201, object)]
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                let start = ContinuousClock.now
                _ = try await client.create(ConfigMap(metadata: ObjectMeta(name: "a", namespace: "n")))
                #expect(.now - start >= .seconds(1))
                #expect(server.requests.count == 2)
            }
        }
    }

    @Test func `Server failures are retried, then surfaced in the server's words`() async throws {
        try await StubServer.with { _, before in
            before < 2 ? [.answer(500, status(500, "InternalError"))] : [.answer(200, object)]
        } _: {
            server in
            try await KubernetesClient.with(server.url) { client in
                let read = try await client.get(ConfigMap.self, "a", namespace: "n")
                #expect(read.name == "a")
                #expect(server.requests.count == 3)
            }
        }
        try await StubServer.with { _, _ in
            [.answer(500, status(500, "InternalError"))]
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, "a", namespace: "n") }
                #expect(error.map { "\($0)" } == "cannot get configmaps n/a: said so")
                #expect(server.requests.count == 5)
            }
        }
    }

    @Test func `A conflict comes back at once`() async throws {
        try await StubServer.with { _, _ in
            [.answer(409, status(409, "Conflict"))]
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                let error = await #expect(throws: KubernetesError.self) {
                    try await client.update(ConfigMap(metadata: ObjectMeta(name: "a", namespace: "n")))
                }
                #expect(error?.isConflict == true)
                #expect(server.requests.count == 1)
            }
        }
    }

    @Test func `A connection cut in an answer is tried again for a read, and not for a creation`() async throws {
        try await StubServer.with { request, before in
            request.method == "GET" && before > 0 ? [.answer(200, object)] : [.head(), .chunk(Array("{".utf8)), .cut]
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                _ = try await client.get(ConfigMap.self, "a", namespace: "n")
                #expect(server.requests.count == 2)
                let error = await #expect(throws: KubernetesError.self) {
                    try await client.create(ConfigMap(metadata: ObjectMeta(name: "a", namespace: "n")))
                }
                #expect(error?.code == .unreachable)
                #expect(server.requests.count == 3)
            }
        }
    }

    @Test func `A server that is silent is given up, in the head and in the body of its answer`() async throws {
        try await StubServer.with { _, before in
            before == 0 ? [.silence] : [.head(), .chunk(Array("{".utf8)), .silence]
        } _: { server in
            var timeouts = ClientTimeouts()
            timeouts.request = .milliseconds(200)
            try await KubernetesClient.with(server.url, timeouts: timeouts) { client in
                for _ in 0..<2 {
                    let error = await #expect(throws: KubernetesError.self) {
                        try await client.get(ConfigMap.self, "a", namespace: "n")
                    }
                    #expect(error?.code == .timedOut)
                }
            }
        }
    }

    @Test func `Nobody there is said in a sentence, soon`() async throws {
        let port = try await freePort()
        try await KubernetesClient.with("http://127.0.0.1:\(port)") { client in
            let error = await #expect(throws: KubernetesError.self) { try await client.get(ConfigMap.self, "a", namespace: "n") }
            #expect(error?.code == .unreachable)
            let text = error.map { "\($0)" } ?? ""
            #expect(text == "cannot get configmaps n/a: cannot connect to 127.0.0.1:\(port): Connection refused")
        }
    }

    @Test func `Lists come in pages, and start over when their token expires`() async throws {
        @Sendable func page(_ names: [String], next: String) -> String {
            let items = names.map { #"{"metadata":{"name":"\#($0)","namespace":"n"}}"# }.joined(separator: ",")
            return #"{"metadata":{"resourceVersion":"8","continue":"\#(next)"},"items":[\#(items)]}"#
        }
        try await StubServer.with { request, _ in
            switch (request.query["continue"], request.query["limit"]) {
            case (nil, "500"): [.answer(200, page(["a"], next: "more"))]
            case ("more", _): [.answer(410, status(410, "Expired"))]
            case (nil, nil): [.answer(200, page(["a", "b"], next: ""))]
            default: [.answer(400, status(400, "BadRequest"))]
            }
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                let list = try await client.list(ConfigMap.self)
                #expect(list.items.map(\.name) == ["a", "b"])
                #expect(list.metadata.resourceVersion == "8")
                #expect(list.items.allSatisfy { $0.kind == "ConfigMap" && $0.apiVersion == "v1" })
                #expect(server.requests.count == 3)
            }
        }
    }

    @Test func `One malformed object does not hide the others, nor itself`() async throws {
        let list =
            #"{"metadata":{"resourceVersion":"8"},"items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b","namespace":"n"},"data":3}]}"#
        try await StubServer.with { _, _ in
            [.answer(200, list)]
        } _: { server in
            let metrics = MetricsRegistry()
            try await KubernetesClient.with(server.url, metrics: metrics) { client in
                let listing = try await client.listTolerantly(ConfigMap.self)
                #expect(listing.items.map(\.name) == ["a"])
                #expect(listing.undecodable.map(\.name) == ["b"])
                #expect(metrics.render().contains("rest_client_undecodable_objects_total{resource=\"configmaps\"} 1"))
                let error = await #expect(throws: KubernetesError.self) { try await client.list(ConfigMap.self) }
                #expect(error.map { "\($0)" }?.contains("n/b: not a ConfigMap") == true)
            }
        }
    }

    @Test func `Requests are counted under client-go's names`() async throws {
        try await StubServer.with { _, _ in
            [.answer(200, object)]
        } _: { server in
            let metrics = MetricsRegistry()
            try await KubernetesClient.with(server.url, token: "hush", metrics: metrics) { client in
                _ = try await client.get(ConfigMap.self, "a", namespace: "n")
                #expect(server.requests.first?.headers["authorization"] == "Bearer hush")
                #expect(server.requests.first?.headers["user-agent"] == "test")
            }
            let text = metrics.render()
            #expect(text.contains("rest_client_requests_total{code=\"200\",host=\"127.0.0.1:\(server.port)\",method=\"GET\"} 1"))
            #expect(!text.contains("hush"))
        }
    }
}
