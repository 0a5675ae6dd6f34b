import KubernetesAPI
import KubernetesClient
import TestKubernetes
import Testing

@testable import ControllerRuntime

@Suite struct EventCorrelatorTests {
    private func occurrence(_ message: String, object: String = "o") -> EventCorrelator.Occurrence {
        .init(object: object, type: "Warning", reason: "Failed", message: message)
    }

    @Test func `The same again is counted`() {
        var correlator = EventCorrelator()
        #expect(correlator.decide(occurrence("a"), now: .zero) == .create(message: "a"))
        correlator.created(occurrence("a"), message: "a", name: "e1", now: .zero)
        #expect(correlator.decide(occurrence("a"), now: .seconds(1)) == .repeated(name: "e1", count: 2))
        #expect(correlator.decide(occurrence("a"), now: .seconds(2)) == .repeated(name: "e1", count: 3))
        #expect(correlator.decide(occurrence("b"), now: .seconds(2)) == .create(message: "b"))
        #expect(correlator.decide(occurrence("a", object: "other"), now: .seconds(2)) == .create(message: "a"))
        correlator.forget(name: "e1")
        #expect(correlator.decide(occurrence("a"), now: .seconds(3)) == .create(message: "a"))
    }

    @Test func `Many different ones of a kind become one`() {
        var correlator = EventCorrelator()
        for number in 0..<10 {
            let one = occurrence("m\(number)")
            #expect(correlator.decide(one, now: .zero) == .create(message: "m\(number)"))
            correlator.created(one, message: "m\(number)", name: "e\(number)", now: .zero)
        }
        let combined = "(combined from similar events)"
        #expect(correlator.decide(occurrence("m10"), now: .zero) == .create(message: combined))
        correlator.created(occurrence("m10"), message: combined, name: "all", now: .zero)
        #expect(correlator.decide(occurrence("m11"), now: .zero) == .repeated(name: "all", count: 2))
        #expect(correlator.decide(occurrence("m12"), now: .seconds(601)) == .create(message: "m12"))
    }

    @Test func `An object that floods is silenced for a while`() {
        var correlator = EventCorrelator()
        let decisions = (0..<40).map { _ in correlator.decide(occurrence("a"), now: .zero) }
        #expect(decisions.filter { $0 == .drop }.count == 15)
        #expect(correlator.decide(occurrence("a", object: "other"), now: .zero) != .drop)
        #expect(correlator.decide(occurrence("a"), now: .seconds(301)) != .drop)
        #expect(correlator.decide(occurrence("a"), now: .seconds(302)) == .drop)
    }

    @Test func `Long messages are cut at a character`() {
        #expect(EventRecorder.bounded("short") == "short")
        let long = EventRecorder.bounded(String(repeating: "ä", count: 600))
        #expect(long.utf8.count <= 1024 && long.hasSuffix("ä..."))
        #expect(EventRecorder.eventName(for: "a", number: 10) == "a.000000000000000a")
        #expect(EventRecorder.eventName(for: String(repeating: "a", count: 253), number: .max).utf8.count == 253)
    }
}

/// Against a real kube-apiserver and etcd.
@Suite(.integration, .kubernetes, .timeLimit(.minutes(10))) struct RuntimeIntegrationTests {
    @Test func `Events stand under their object, counted`() async throws {
        try await TestKubernetes.current().withClient { client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            let object = try await client.create(ConfigMap(metadata: ObjectMeta(name: "a", namespace: namespace)))
            let recorder = EventRecorder(client: client, component: "tester", logger: .quiet)
            for _ in 0..<3 { await recorder.record(.warning, reason: "Failed", message: "it did", on: object) }
            await recorder.record(.normal, reason: "Done", message: "it is", on: try await client.get(Namespace.self, namespace))
            let events = try await client.list(Event.self, namespace: namespace, fields: "involvedObject.name=a").items
            #expect(events.count == 1)
            #expect(events.first?.count == 3)
            #expect(events.first?.involvedObject?.uid == object.metadata.uid)
            #expect(events.first?.source?.component == "tester")
            try await client.delete(Event.self, events.first?.name ?? "", namespace: namespace)
            await recorder.record(.warning, reason: "Failed", message: "it did", on: object)
            #expect(try await client.list(Event.self, namespace: namespace, fields: "involvedObject.name=a").items.count == 1)
            let about = try await client.list(Event.self, namespace: "default", fields: "involvedObject.name=\(namespace)").items
            #expect(about.map(\.reason) == ["Done"])
        }
    }

    @Test func `A controller follows an informer through everything that happens`() async throws {
        try await TestKubernetes.current().withClient { client in
            let namespace = try await TestKubernetes.current().makeNamespace(client)
            let informer = Informer<ConfigMap>(client: client, namespace: namespace, labels: "app=a", logger: .quiet)
            informer.addIndex("owner") { [$0.data?["owner"]].compactMap { $0 } }
            let controller = Controller(
                name: "copies", reconciler: Copier(client: client, informer: informer), concurrency: 4, logger: .quiet)
            controller.watch(informer) { [ObjectKey($0)] }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await informer.run() }
                group.addTask { try await controller.run() }
                for number in 0..<30 {
                    var object = ConfigMap(
                        metadata: ObjectMeta(name: "m\(number)", namespace: namespace), data: ["owner": "o\(number % 3)"])
                    object.metadata.labels = ["app": "a"]
                    _ = try await client.create(object)
                }
                try await eventually("all were copied") {
                    try await client.list(Secret.self, namespace: namespace).items.count == 30
                }
                #expect(informer.list(index: "owner", "o1").count == 10)
                for number in 0..<10 { try await client.delete(ConfigMap.self, "m\(number)", namespace: namespace) }
                try await eventually("the copies of the deleted are gone") {
                    try await client.list(Secret.self, namespace: namespace).items.count == 20
                }
                #expect(informer.list().count == 20)
                group.cancelAll()
            }
        }
    }

    /// Keeps a Secret beside each ConfigMap.
    private struct Copier: Reconciler {
        let client: KubernetesClient
        let informer: Informer<ConfigMap>

        func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
            let meta = ObjectMeta(name: key.name, namespace: key.namespace)
            if let object = informer.get(key) {
                _ = try await client.apply(Secret(metadata: meta, stringData: object.data), fieldManager: "copier")
            } else if try await client.find(Secret.self, key.name, namespace: key.namespace) != nil {
                try await client.delete(Secret.self, key.name, namespace: key.namespace)
            }
            return .done
        }
    }
}
