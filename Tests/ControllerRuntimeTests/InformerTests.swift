import KubernetesAPI
import KubernetesClient
import PrometheusMetrics
import Synchronization
import TestKubernetes
import Testing

@testable import ControllerRuntime

private func item(_ name: String, _ version: Int) -> String {
    #"{"metadata":{"name":"\#(name)","namespace":"n","resourceVersion":"\#(version)"}}"#
}

private func list(_ version: Int, _ items: String...) -> StubServer.Step {
    .answer(200, #"{"metadata":{"resourceVersion":"\#(version)"},"items":[\#(items.joined(separator: ","))]}"#)
}

private func event(_ type: String, _ object: String) -> StubServer.Step { .line(#"{"type":"\#(type)","object":\#(object)}"#) }

/// Runs an informer until `body` returns.
func withInformer<T, Value: Sendable>(
    _ informer: Informer<T>, _ body: @escaping @Sendable (Informer<T>) async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask {
            try await informer.run()
            return nil
        }
        group.addTask { try await body(informer) }
        defer { group.cancelAll() }
        while let ended = try await group.next() { if let value = ended { return value } }
        throw CancellationError()
    }
}

/// Against a server with faults.
@Suite(.timeLimit(.minutes(10))) struct InformerTests {
    /// Runs an informer on a stub whose lists and watches are given in order; the last watch of them repeats.
    private func run(
        lists: [[StubServer.Step]], watches: [[StubServer.Step]], registry: MetricsRegistry = MetricsRegistry(),
        _ body: @escaping @Sendable (StubServer, Informer<ConfigMap>, Changes) async throws -> Void
    ) async throws {
        let (listed, watched) = (Counter(), Counter())
        try await StubServer.with { request, _ in
            request.isWatch
                ? watches[min(watched.next(), watches.count - 1)] : lists[min(listed.next(), lists.count - 1)]
        } _: { server in
            let configuration = ClientConfiguration(
                server: server.url, certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: nil)
            let client = try KubernetesClient(configuration, logger: .quiet)
            let informer = Informer<ConfigMap>(client: client, logger: .quiet, registry: registry)
            let changes = Changes()
            informer.onChange { changes.append($0) }
            let outcome: Result<Void, any Error>
            do {
                outcome = .success(try await withInformer(informer) { try await body(server, $0, changes) })
            } catch {
                outcome = .failure(error)
            }
            await client.shutdown()
            try outcome.get()
        }
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock { count in
                defer { count += 1 }
                return count
            }
        }
    }

    final class Changes: Sendable {
        private let all = Mutex<[InformerChange<ConfigMap>]>([])
        func append(_ change: InformerChange<ConfigMap>) { all.withLock { $0.append(change) } }
        var words: [String] {
            all.withLock {
                $0.map {
                    switch $0 {
                    case .added(let object): "+\(object.name)"
                    case .updated(let old, let new):
                        "\(old.name)\(old.metadata.resourceVersion ?? "")>\(new.metadata.resourceVersion ?? "")"
                    case .deleted(let object): "-\(object.name)"
                    }
                }
            }
        }
    }

    @Test func `A cut watch is resumed where it was, bookmarks counted, without a new list`() async throws {
        try await run(
            lists: [[list(5, item("a", 3))]],
            watches: [
                [.head(), event("MODIFIED", item("a", 6)), .cut],
                [.head(), event("BOOKMARK", item("", 9)), .cut],
                [.head(), event("DELETED", item("a", 12)), .silence],
            ]
        ) { server, informer, changes in
            try await informer.waitUntilSynced()
            try await eventually("the deletion arrives") { changes.words.count == 3 }
            #expect(changes.words == ["+a", "a3>6", "-a"])
            #expect(server.requests.map { $0.query["resourceVersion"] } == [nil, "5", "6", "9"])
            #expect(informer.list().isEmpty)
        }
    }

    @Test func `After an expired version it lists again and tells the difference`() async throws {
        let expired = #"{"kind":"Status","status":"Failure","reason":"Expired","code":410}"#
        try await run(
            lists: [[list(5, item("a", 3), item("b", 4))], [list(20, item("b", 4), item("c", 18))]],
            watches: [[.head(), event("ERROR", expired), .end], [.head(), .silence]]
        ) { server, informer, changes in
            try await eventually("the second watch") { server.requests.count == 4 }
            #expect(changes.words == ["+a", "+b", "+c", "-a"] || changes.words == ["+b", "+a", "+c", "-a"])
            #expect(server.requests.last?.query["resourceVersion"] == "20")
            #expect(informer.get(ObjectKey(namespace: "n", name: "c"))?.metadata.resourceVersion == "18")
        }
    }

    @Test func `A server that lists but refuses watches is listed again and again, and that is counted`() async throws {
        let registry = MetricsRegistry()
        try await run(
            lists: [[list(5, item("a", 3))], [list(9, item("a", 3), item("b", 8))], [list(12, item("b", 8))]],
            watches: [[.answer(403, "{}")]], registry: registry
        ) { server, _, changes in
            try await eventually("the third list") { changes.words == ["+a", "+b", "-a"] }
            let versions = server.requests.filter(\.isWatch).map { $0.query["resourceVersion"] }
            #expect(versions.prefix(4) == ["5", "5", "5", "9"])
            try await eventually("the failures are counted") {
                registry.render().split(separator: "\n").contains {
                    guard $0.hasPrefix("informer_watch_failures_total{resource=\"configmaps\"} "), let count = $0.split(separator: " ").last
                    else { return false }
                    return (Int(count) ?? 0) >= 4
                }
            }
        }
    }

    @Test func `A version that cannot be watched from is given up for a new list`() async throws {
        let broken: [StubServer.Step] = [
            .head(), event("ERROR", #"{"kind":"Status","status":"Failure","reason":"InternalError","code":500}"#), .end,
        ]
        try await run(
            lists: [[list(5, item("a", 3))], [list(20, item("a", 18))]],
            watches: [broken, broken, broken, [.head(), event("DELETED", item("a", 21)), .silence]]
        ) { server, _, changes in
            try await eventually("the deletion arrives") { changes.words == ["+a", "a3>18", "-a"] }
            #expect(server.requests.map { $0.query["resourceVersion"] } == [nil, "5", "5", "5", nil, "20"])
        }
    }

    @Test func `It waits for a server that is not ready, and is not synced before`() async throws {
        try await run(
            lists: [[.answer(403, "{}")], [.cut], [list(5, item("a", 3))]], watches: [[.head(), .silence]]
        ) { _, informer, changes in
            #expect(!informer.isSynced)
            try await informer.waitUntilSynced()
            #expect(changes.words == ["+a"])
        }
    }

    @Test func `An object that does not decode is known, and does not hide the others`() async throws {
        let bad = #"{"metadata":{"name":"bad","namespace":"n","resourceVersion":"4"},"data":7}"#
        try await run(
            lists: [[list(5, item("a", 3), bad)]], watches: [[.head(), event("ADDED", item("c", 8)), .silence]]
        ) { _, informer, changes in
            try await eventually("the addition") { changes.words.count == 2 }
            #expect(changes.words == ["+a", "+c"])
            #expect(informer.undecodable.keys.map(\.name) == ["bad"])
        }
    }

    @Test func `Waiting ends with the task that waits`() async throws {
        try await run(lists: [[.silence]], watches: [[.silence]]) { _, informer, _ in
            let waiting = Task { try await informer.waitUntilSynced() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { try await waiting.value }
        }
    }
}
