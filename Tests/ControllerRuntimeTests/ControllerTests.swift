import PrometheusMetrics
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import TestKubernetes
import Testing

@testable import ControllerRuntime

@Suite(.timeLimit(.minutes(10))) struct ControllerTests {
    private final class Recorder: Reconciler {
        private struct State {
            var calls: [String: Int] = [:]
            var inWork: Set<String> = []
            var overlapped = false
        }

        private let state = Mutex(State())
        let answer: @Sendable (ObjectKey, Int) async throws -> ReconcileResult

        init(_ answer: @escaping @Sendable (ObjectKey, Int) async throws -> ReconcileResult) { self.answer = answer }

        var calls: [String: Int] { state.withLock { $0.calls } }
        var overlapped: Bool { state.withLock { $0.overlapped } }

        func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
            let count = state.withLock { state in
                if !state.inWork.insert(key.name).inserted { state.overlapped = true }
                state.calls[key.name, default: 0] += 1
                return state.calls[key.name, default: 0]
            }
            defer { state.withLock { _ = $0.inWork.remove(key.name) } }
            return try await answer(key, count)
        }
    }

    private struct Failure: Error {}

    private func run(
        _ recorder: Recorder, concurrency: Int = 1, registry: MetricsRegistry = MetricsRegistry(),
        _ body: @escaping @Sendable (Controller) async throws -> Void
    ) async throws {
        let controller = Controller(
            name: "test", reconciler: recorder, concurrency: concurrency, logger: .quiet,
            queue: WorkQueue(firstBackoff: .milliseconds(1), longestBackoff: .milliseconds(20)), registry: registry)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await controller.run() }
            group.addTask { try await body(controller) }
            // The controller ends by being cancelled, the body by itself.
            try await group.next()
            group.cancelAll()
        }
    }

    @Test func `Every key is reconciled, never twice at a time, with many workers`() async throws {
        let recorder = Recorder { _, _ in
            await Task.yield()
            return .done
        }
        try await run(recorder, concurrency: 8) { controller in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { for number in 0..<500 { controller.enqueue(ObjectKey(name: "k\(number % 50)")) } }
                }
            }
            try await eventually("all keys were seen") { recorder.calls.count == 50 }
            #expect(!recorder.overlapped)
        }
    }

    @Test func `A failure comes again, and is counted`() async throws {
        let recorder = Recorder { _, count in
            if count < 4 { throw Failure() }
            return .done
        }
        let registry = MetricsRegistry()
        try await run(recorder, registry: registry) { controller in
            controller.enqueue(ObjectKey(name: "flaky"))
            try await eventually("the flaky one succeeds") {
                registry.render().contains("controller_runtime_reconcile_total{controller=\"test\",result=\"success\"} 1")
            }
            #expect(recorder.calls == ["flaky": 4])
            let text = registry.render()
            #expect(text.contains("controller_runtime_reconcile_total{controller=\"test\",result=\"error\"} 3"))
            #expect(text.contains("controller_runtime_reconcile_errors_total{controller=\"test\"} 3"))
            #expect(text.contains("workqueue_retries_total{controller=\"test\",name=\"test\"} 3"))
            #expect(text.contains("workqueue_depth{controller=\"test\",name=\"test\"} 0"))
        }
    }

    @Test func `A key is looked at again after its time`() async throws {
        let recorder = Recorder { _, count in count < 3 ? .requeue(after: .milliseconds(50)) : .done }
        try await run(recorder) { controller in
            let start = ContinuousClock.now
            controller.enqueue(ObjectKey(name: "a"))
            controller.enqueue(ObjectKey(name: "b"), after: .milliseconds(20))
            try await eventually("both were seen three times") { recorder.calls == ["a": 3, "b": 3] }
            #expect(.now - start >= .milliseconds(100))
        }
    }

    @Test func `What changes during the work is worked on after it`() async throws {
        let gate = Latch()
        let recorder = Recorder { _, count in
            if count == 1 { try await gate.wait() }
            return .done
        }
        try await run(recorder, concurrency: 4) { controller in
            controller.enqueue(ObjectKey(name: "a"))
            try await eventually("the first began") { recorder.calls["a"] == 1 }
            for _ in 0..<10 { controller.enqueue(ObjectKey(name: "a")) }
            gate.open()
            try await eventually("the second began") { recorder.calls["a"] == 2 }
            #expect(!recorder.overlapped)
        }
    }

    @Test func `A graceful shutdown finishes what is under way and begins nothing`() async throws {
        let (began, gate) = (Latch(), Latch())
        let recorder = Recorder { _, _ in
            began.open()
            try await gate.wait()
            return .done
        }
        let registry = MetricsRegistry()
        let controller = Controller(
            name: "test", reconciler: recorder, concurrency: 1, logger: .quiet, queue: WorkQueue(), registry: registry)
        controller.enqueue(ObjectKey(name: "a"))
        controller.enqueue(ObjectKey(name: "b"))
        try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await controller.run() }
                try await began.wait()
                trigger.triggerGracefulShutdown()
                gate.open()
                try await group.waitForAll()
            }
        }
        #expect(recorder.calls == ["a": 1])
        #expect(registry.render().contains("controller_runtime_reconcile_total{controller=\"test\",result=\"success\"} 1"))
    }
}
