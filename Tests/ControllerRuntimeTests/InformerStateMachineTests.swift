import KubernetesAPI
import KubernetesClient
import Testing

@testable import ControllerRuntime

@Suite struct InformerStateMachineTests {
    private func listed() -> InformerStateMachine {
        var machine = InformerStateMachine()
        _ = machine.start()
        _ = machine.listed(resourceVersion: "5")
        return machine
    }

    @Test func `List first, then watch from there`() {
        var machine = InformerStateMachine()
        #expect(machine.start() == .list(after: .zero))
        #expect(machine.listed(resourceVersion: "5") == .watch(from: "5", after: .zero))
    }

    @Test func `A watch is resumed from the last event or bookmark`() {
        var machine = listed()
        machine.received(resourceVersion: "7")
        machine.received(resourceVersion: nil)
        #expect(machine.watchEnded(after: .seconds(300)) == .watch(from: "7", after: .zero))
        machine.received(resourceVersion: "9")
        #expect(machine.watchFailed(.other(retryAfter: nil)) == .watch(from: "9", after: .zero))
        #expect(machine.watchEnded(after: .seconds(300)) == .watch(from: "9", after: .zero))
    }

    @Test func `An expired version means to list again, at once the first time`() {
        var machine = listed()
        #expect(machine.watchFailed(.expired) == .list(after: .zero))
        _ = machine.listed(resourceVersion: "8")
        #expect(machine.watchFailed(.expired) == .list(after: .milliseconds(200)))
        _ = machine.listed(resourceVersion: "9")
        machine.received(resourceVersion: "10")
        #expect(machine.watchFailed(.expired) == .list(after: .zero))
    }

    @Test func `Failures one after the other lead to lists and wait longer, up to a limit, until something arrives`() {
        var machine = listed()
        let refused = InformerStateMachine.Failure.other(retryAfter: nil)
        #expect(machine.watchFailed(refused) == .watch(from: "5", after: .milliseconds(200)))
        #expect(machine.watchFailed(refused) == .watch(from: "5", after: .milliseconds(400)))
        var delays: [Duration] = []
        for number in 3...10 {
            guard case .list(let delay) = machine.watchFailed(refused) else {
                Issue.record("not listed again")
                return
            }
            #expect(machine.failures == number)
            #expect(machine.resourceVersion == nil)
            delays.append(delay)
            // That lists succeed is no sign that watches will.
            #expect(machine.listed(resourceVersion: "5") == .watch(from: "5", after: .zero))
        }
        #expect(delays.prefix(2) == [.milliseconds(800), .milliseconds(1600)])
        #expect(delays.last == .seconds(30))
        machine.received(resourceVersion: "6")
        #expect(machine.failures == 0)
        #expect(machine.watchFailed(refused) == .watch(from: "6", after: .zero))
        #expect(machine.watchFailed(refused) == .watch(from: "6", after: .milliseconds(200)))
    }

    /// What becomes of the third watch, the two before it having failed.
    @Test(
        arguments: [
            (.refused(nil), .list(after: .milliseconds(800)), 3),
            (.refused(.seconds(7)), .list(after: .seconds(7)), 3),
            (.expired, .list(after: .milliseconds(800)), 3),
            (.ended(.milliseconds(5)), .list(after: .milliseconds(800)), 3),
            // The server's own end of a watch on which nothing happened.
            (.ended(.seconds(300)), .watch(from: "5", after: .zero), 0),
            (.cutAfterEvent, .watch(from: "6", after: .zero), 0),
        ] as [(Third, InformerStateMachine.Action, Int)])
    func `Only watches that brought nothing count`(third: Third, action: InformerStateMachine.Action, failures: Int) {
        var machine = listed()
        _ = machine.watchFailed(.other(retryAfter: nil))
        _ = machine.watchEnded(after: .zero)
        #expect(machine.failures == 2)
        switch third {
        case .refused(let retryAfter): #expect(machine.watchFailed(.other(retryAfter: retryAfter)) == action)
        case .expired: #expect(machine.watchFailed(.expired) == action)
        case .ended(let lasted): #expect(machine.watchEnded(after: lasted) == action)
        case .cutAfterEvent:
            machine.received(resourceVersion: "6")
            #expect(machine.watchFailed(.other(retryAfter: nil)) == action)
        }
        #expect(machine.failures == failures)
    }

    enum Third: Sendable {
        case refused(Duration?)
        case expired
        case ended(Duration)
        case cutAfterEvent
    }

    @Test func `A watch that lasted ends the patience of those before it`() {
        var machine = listed()
        for _ in 0..<6 { _ = machine.watchFailed(.other(retryAfter: nil)) }
        _ = machine.listed(resourceVersion: "5")
        #expect(machine.watchEnded(after: .seconds(300)) == .watch(from: "5", after: .zero))
        #expect(machine.watchFailed(.other(retryAfter: nil)) == .watch(from: "5", after: .milliseconds(200)))
    }

    @Test func `Lists that fail wait likewise, and as long as the server asks`() {
        var machine = InformerStateMachine()
        _ = machine.start()
        #expect(machine.listFailed(.other(retryAfter: nil)) == .list(after: .milliseconds(200)))
        #expect(machine.listFailed(.other(retryAfter: .seconds(7))) == .list(after: .seconds(7)))
        #expect(machine.listFailed(.expired) == .list(after: .milliseconds(800)))
        #expect(machine.listed(resourceVersion: "5") == .watch(from: "5", after: .zero))
        #expect(machine.listFailed(.other(retryAfter: nil)) == .list(after: .milliseconds(200)))
    }

    @Test func `A server that ends each watch at once is not asked without pause`() {
        var machine = listed()
        #expect(machine.watchEnded(after: .milliseconds(5)) == .watch(from: "5", after: .milliseconds(200)))
        #expect(machine.watchEnded(after: .milliseconds(5)) == .watch(from: "5", after: .milliseconds(400)))
        #expect(machine.watchEnded(after: .seconds(5)) == .watch(from: "5", after: .zero))
    }
}

@Suite struct ObjectStoreTests {
    private func map(_ name: String, _ version: String, _ data: [String: String] = [:]) -> ConfigMap {
        ConfigMap(metadata: ObjectMeta(name: name, namespace: "n", resourceVersion: version), data: data)
    }

    private func key(_ name: String) -> ObjectKey { ObjectKey(namespace: "n", name: name) }

    @Test func `A list again tells the difference`() {
        var store = ObjectStore<ConfigMap>()
        #expect(store.replace(with: [map("a", "1")], undecodable: []) == [.added(map("a", "1"))])
        _ = store.apply(.added(map("b", "2")))
        _ = store.apply(.added(map("c", "3")))
        let changes = store.replace(with: [map("b", "2"), map("c", "4"), map("d", "5")], undecodable: [])
        #expect(changes == [.updated(old: map("c", "3"), new: map("c", "4")), .added(map("d", "5")), .deleted(map("a", "1"))])
        #expect(Set(store.objects.keys) == [key("b"), key("c"), key("d")])
    }

    @Test func `Events, also those seen already`() {
        var store = ObjectStore<ConfigMap>()
        #expect(store.apply(.added(map("a", "1"))) == .added(map("a", "1")))
        #expect(store.apply(.added(map("a", "1"))) == nil)
        #expect(store.apply(.modified(map("a", "2"))) == .updated(old: map("a", "1"), new: map("a", "2")))
        // One that was missed as an addition is one all the same.
        #expect(store.apply(.modified(map("b", "3"))) == .added(map("b", "3")))
        #expect(store.apply(.bookmark(resourceVersion: "4")) == nil)
        #expect(store.apply(.deleted(map("a", "5"))) == .deleted(map("a", "5")))
        #expect(store.apply(.deleted(map("a", "5"))) == nil)
    }

    @Test func `What cannot be decoded is known, and keeps its last form`() {
        var store = ObjectStore<ConfigMap>()
        _ = store.replace(with: [map("a", "1")], undecodable: [])
        let bad = UndecodableObject(event: "MODIFIED", namespace: "n", name: "a", resourceVersion: "2", reason: "r")
        #expect(store.apply(.undecodable(bad)) == nil)
        #expect(store.undecodable[key("a")] == bad)
        #expect(store.objects[key("a")] == map("a", "1"))
        #expect(store.replace(with: [], undecodable: [bad]) == [])
        #expect(store.objects[key("a")] == map("a", "1"))
        #expect(store.apply(.modified(map("a", "3"))) == .updated(old: map("a", "1"), new: map("a", "3")))
        #expect(store.undecodable.isEmpty)
        let gone = UndecodableObject(event: "DELETED", namespace: "n", name: "a", reason: "r")
        #expect(store.apply(.undecodable(gone)) == .deleted(map("a", "3")))
        #expect(store.apply(.undecodable(UndecodableObject(reason: "nameless"))) == nil)
    }

    @Test func `Indexes follow their objects`() {
        var store = ObjectStore<ConfigMap>()
        _ = store.apply(.added(map("before", "1", ["x": ""])))
        store.addIndex("keys") { Array(($0.data ?? [:]).keys) }
        func names(_ value: String) -> [String] { store.list(index: "keys", value).map(\.name).sorted() }
        #expect(names("x") == ["before"])
        _ = store.apply(.added(map("a", "2", ["x": "", "y": ""])))
        #expect(names("x") == ["a", "before"])
        _ = store.apply(.modified(map("a", "3", ["y": "", "z": ""])))
        #expect(names("x") == ["before"])
        #expect(names("y") == ["a"])
        #expect(names("z") == ["a"])
        _ = store.apply(.deleted(map("a", "4", ["y": ""])))
        #expect(names("y") == [] && names("z") == [])
        #expect(store.list(index: "unknown", "x").isEmpty)
    }
}
