import KubernetesAPI
import TestKubernetes
import Testing

@testable import KubernetesClient

private func added(_ name: String, _ version: Int) -> String {
    #"{"type":"ADDED","object":{"metadata":{"name":"\#(name)","namespace":"n","resourceVersion":"\#(version)"}}}"#
}

private let bookmark = #"{"type":"BOOKMARK","object":{"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"12"}}}"#
private let expired =
    #"{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old resource version: 1 (5)","reason":"Expired","code":410}}"#

/// Each test is a fault seen in another client's watch.
@Suite(.timeLimit(.minutes(10))) struct WatchTests {
    /// The events of a watch, and what ended it.
    private func watch(
        _ steps: [StubServer.Step], timeouts: ClientTimeouts = ClientTimeouts(),
        check: @escaping @Sendable (StubServer) -> Void = { _ in }
    ) async throws -> (events: [WatchEvent<ConfigMap>], error: KubernetesError?) {
        try await StubServer.with { _, _ in
            steps
        } _: { server in
            try await KubernetesClient.with(server.url, timeouts: timeouts) { client in
                var events: [WatchEvent<ConfigMap>] = []
                var failure: KubernetesError?
                do {
                    for try await event in client.watch(ConfigMap.self, namespace: "n", labels: "a=b", resourceVersion: "4") {
                        events.append(event)
                    }
                } catch let error as KubernetesError { failure = error }
                check(server)
                return (events, failure)
            }
        }
    }

    private func names(_ events: [WatchEvent<ConfigMap>]) -> [String] {
        events.map {
            switch $0 {
            case .added(let object), .modified(let object), .deleted(let object): object.name
            case .bookmark(let version): "bookmark \(version)"
            case .undecodable(let object): "undecodable \(object.name ?? "")"
            }
        }
    }

    @Test func `The version goes into the query, where the server looks for it`() async throws {
        let result = try await watch([.head(), .end]) { server in
            let request = server.requests.first
            #expect(request?.path == "/api/v1/namespaces/n/configmaps")
            #expect(request?.query["resourceVersion"] == "4")
            #expect(request?.query["watch"] == "true")
            #expect(request?.query["allowWatchBookmarks"] == "true")
            #expect(request?.query["labelSelector"] == "a%3Db")
            #expect((240...600).contains(Int(request?.query["timeoutSeconds"] ?? "") ?? 0))
            #expect(request?.headers.keys.contains("resourceversion") == false)
        }
        #expect(result.events.isEmpty && result.error == nil)
    }

    @Test func `Events may arrive byte by byte, or several in a chunk`() async throws {
        let bytes = Array((added("ä", 5) + "\n" + added("b", 6) + "\n").utf8)
        let single = try await watch([.head()] + bytes.map { .chunk([$0]) } + [.end])
        #expect(names(single.events) == ["ä", "b"])
        let together = try await watch([.head(), .chunk(bytes), .end])
        #expect(names(together.events) == ["ä", "b"])
        #expect(single.error == nil && together.error == nil)
    }

    @Test func `A bookmark is an event of its own`() async throws {
        let result = try await watch([.head(), .line(added("a", 5)), .line(bookmark), .end])
        #expect(names(result.events) == ["a", "bookmark 12"])
        #expect(result.events.last?.resourceVersion == "12")
    }

    @Test func `An ERROR event is an error, and 410 means to list again`() async throws {
        let late = try await watch([.head(), .line(added("a", 5)), .line(expired), .end])
        #expect(names(late.events) == ["a"])
        #expect(late.error?.code == .expired)
        #expect(late.error.map { "\($0)" } == "cannot watch configmaps in n: too old resource version: 1 (5)")
        let early = try await watch([.answer(410, #"{"kind":"Status","message":"gone","reason":"Expired","code":410}"#)])
        #expect(early.error?.isExpired == true)
        let other = try await watch([.head(), .line(expired.replacing("410", with: "500").replacing("Expired", with: "InternalError"))])
        #expect(other.error?.code == .refused)
    }

    @Test func `An object that does not decode is told, and the watch goes on`() async throws {
        let bad = #"{"type":"ADDED","object":{"metadata":{"name":"bad","namespace":"n","resourceVersion":"6"},"data":[1]}}"#
        let result = try await watch([.head(), .line(added("a", 5)), .line(bad), .line(added("c", 7)), .end])
        #expect(names(result.events) == ["a", "undecodable bad", "c"])
    }

    @Test func `A line that is no event ends the watch with an error`() async throws {
        let result = try await watch([.head(), .line("nonsense"), .silence])
        #expect(result.error?.code == .undecodable)
    }

    @Test func `A cut connection is an error, not an end`() async throws {
        let between = try await watch([.head(), .line(added("a", 5)), .cut])
        #expect(names(between.events) == ["a"])
        #expect(between.error?.code == .unreachable)
        let within = try await watch([.head(), .chunk(Array(added("a", 5).utf8.dropLast(3))), .cut])
        #expect(within.error?.code == .unreachable)
        let endedWithin = try await watch([.head(), .chunk(Array(added("a", 5).utf8.dropLast(3))), .end])
        #expect(endedWithin.error?.code == .unreachable)
    }

    @Test func `A connection on which nothing comes is given up`() async throws {
        var timeouts = ClientTimeouts()
        timeouts.watchSilence = .seconds(5)
        let result = try await watch([.head(), .line(added("a", 5)), .silence], timeouts: timeouts)
        #expect(names(result.events) == ["a"])
        #expect(result.error?.code == .timedOut)
    }

    @Test func `An event without end is not collected for ever`() async throws {
        let result = try await watch([.head(), .chunk(Array("{".utf8)), .flood(mebibytes: 64), .silence])
        #expect(result.error?.code == .undecodable)
        #expect(result.error.map { "\($0)" }?.contains("longer than") == true)
    }

    @Test func `A refusal is told in the server's words`() async throws {
        let result = try await watch([.answer(403, #"{"kind":"Status","message":"no","reason":"Forbidden","code":403}"#)])
        #expect(result.error?.isForbidden == true)
    }

    @Test func `A consumer that does not read stops the server, and nothing piles up`() async throws {
        try await StubServer.with { _, _ in
            [.head(), .line(added("a", 5)), .flood(mebibytes: 256), .silence]
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                var events = client.watch(ConfigMap.self, resourceVersion: "4").makeAsyncIterator()
                _ = try await events.next()
                // The kernel's buffers take some; then the sending has to stand still.
                var (last, still) = (-1, 0)
                try await eventually("the server stops sending") {
                    still = server.flooded == last ? still + 1 : 0
                    last = server.flooded
                    return still > 50
                }
                #expect(server.flooded < 64)
            }
        }
    }

    @Test func `Cancelling ends a silent watch`() async throws {
        try await StubServer.with { _, _ in
            [.head(), .line(added("a", 5)), .silence]
        } _: { server in
            try await KubernetesClient.with(server.url) { client in
                let watching = Task {
                    for try await _ in client.watch(ConfigMap.self, resourceVersion: "4") {}
                }
                try await eventually("the watch is there") { server.requests.count == 1 }
                watching.cancel()
                await #expect(throws: CancellationError.self) { try await watching.value }
            }
        }
    }
}
