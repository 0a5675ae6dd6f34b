import ControllerRuntime
import KubernetesClient
import Logging
import NestboxAPI
import ServiceLifecycle
import Testing

@testable import Operator

@Suite(.timeLimit(.minutes(10))) struct ShutdownTests {
    private struct Closure: Service {
        let body: @Sendable () async throws -> Void
        func run() async throws { try await body() }
    }

    /// What happened, in order, and a way to wait for it.
    private actor Story {
        private(set) var events: [String] = []

        func tell(_ event: String) { events.append(event) }

        /// Throws when the waiting task is cancelled.
        func wait(for event: String) async throws {
            while !events.contains(event) { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    /// Works on each key until it hears of the shutdown, and then until `end` is told.
    private struct Slow: Reconciler {
        let story: Story

        func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
            await story.tell("began")
            do {
                while !Task.isShuttingDownGracefully { try await Task.sleep(for: .milliseconds(5)) }
                await story.tell("heard")
                try await story.wait(for: "end")
                await story.tell("finished")
            } catch {
                await story.tell("cut short")
            }
            return .done
        }
    }

    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// A controller in the middle of its work beside an informer of a server that is not there.
    private func run(
        _ story: Story, beside others: [any Service] = [], limit: Duration? = nil,
        _ body: @escaping @Sendable (ServiceGroup) async throws -> Void
    ) async throws {
        let logger = self.logger
        let access = ClientConfiguration(
            server: "http://127.0.0.1:1", certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: nil)
        try await KubernetesClient.with(access, logger: logger) { client in
            let machines = Informer<Machine>(client: client, logger: logger)
            let needed = Closure {
                try? await gracefulShutdown()
                await story.tell("what it needs ended")
            }
            let controller = Controller(name: "shutdown-test", reconciler: Slow(story: story), logger: logger)
            controller.enqueue(ObjectKey(name: "a"))
            controller.enqueue(ObjectKey(name: "b"))
            let idle = Controller(name: "shutdown-test-idle", reconciler: Slow(story: story), logger: logger)
            var configuration = ServiceGroupConfiguration(
                services: [Closure { try await runTogether([idle, controller], beside: [machines, needed] + others, logger: logger) }],
                logger: logger)
            configuration.maximumGracefulShutdownDuration = limit
            let group = ServiceGroup(configuration: configuration)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await story.wait(for: "began")
                try await body(group)
                try await tasks.waitForAll()
            }
        }
    }

    @Test func `What is under way is finished before what it needs is shut down, and nothing more is begun`() async throws {
        let story = Story()
        try await run(story) { group in
            await group.triggerGracefulShutdown()
            try await story.wait(for: "heard")
            // Time for what should not happen: the informer's end, or the idle controller's, cutting the work short.
            try await Task.sleep(for: .milliseconds(300))
            #expect(await story.events == ["began", "heard"])
            await story.tell("end")
        }
        #expect(await story.events == ["began", "heard", "end", "finished", "what it needs ended"])
    }

    @Test func `What takes longer than the time allowed is cancelled`() async throws {
        let story = Story()
        try await run(story, limit: .milliseconds(100)) { group in await group.triggerGracefulShutdown() }
        let events = await story.events
        #expect(events.contains("cut short"))
        #expect(!events.contains("finished"))
    }

    private struct Failure: Error {}

    @Test func `One that fails ends all`() async throws {
        let story = Story()
        let failing = Closure {
            try await story.wait(for: "began")
            throw Failure()
        }
        await #expect(throws: Failure.self) { try await run(story, beside: [failing]) { _ in } }
        #expect(await story.events.contains("cut short"))
    }

    @Test func `One that ends unasked ends all`() async throws {
        let story = Story()
        let ending = Closure { try await story.wait(for: "began") }
        await #expect(throws: ServiceGroupError.self) { try await run(story, beside: [ending]) { _ in } }
        #expect(await story.events.contains("cut short"))
    }
}
