import KubernetesAPI
import KubernetesClient
import Logging
import PrometheusMetrics
import ServiceLifecycle
import Synchronization

/// Keeps a copy of all objects of a kind: lists once, then watches, resumes what breaks, and lists again when it must.
///
/// Handlers and indexes are set before `run`. Handlers are called one change at a time, after the store has it.
public final class Informer<T: KubernetesObject>: ServiceLifecycle.Service, Sendable {
    private let client: KubernetesClient
    private let namespace: String?
    private let labels: String?
    private let fields: String?
    private let logger: Logger
    private let store = Mutex(ObjectStore<T>())
    private let handlers = Mutex<[@Sendable (InformerChange<T>) -> Void]>([])
    private let synced = Latch()
    private let watchFailures: Counter

    public convenience init(
        client: KubernetesClient, namespace: String? = nil, labels: String? = nil, fields: String? = nil, logger: Logger
    ) {
        self.init(client: client, namespace: namespace, labels: labels, fields: fields, logger: logger, registry: .shared)
    }

    init(
        client: KubernetesClient, namespace: String? = nil, labels: String? = nil, fields: String? = nil, logger: Logger,
        registry: MetricsRegistry
    ) {
        self.client = client
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        var logger = logger
        logger[metadataKey: "informer"] = "\(T.resourceType)"
        self.logger = logger
        watchFailures = registry.counter(
            name: "informer_watch_failures_total", help: "Total number of watches that failed before anything arrived",
            labels: ["resource": "\(T.resourceType)"])
    }

    /// Returns once the first list is in the store.
    public func waitUntilSynced() async throws { try await synced.wait() }

    public var isSynced: Bool { synced.isOpen }

    public func get(_ key: ObjectKey) -> T? { store.withLock { $0.objects[key] } }

    /// All objects, in no particular order.
    public func list() -> [T] { store.withLock { Array($0.objects.values) } }

    /// Objects that have `value` among their values in the index.
    public func list(index: String, _ value: String) -> [T] { store.withLock { $0.list(index: index, value) } }

    /// Objects whose present form could not be decoded; `get` and `list` may still give an older one.
    public var undecodable: [ObjectKey: UndecodableObject] { store.withLock { $0.undecodable } }

    /// Finds objects by values computed from them.
    public func addIndex(_ name: String, _ values: @escaping @Sendable (T) -> [String]) {
        store.withLock { $0.addIndex(name, values) }
    }

    /// Called for every change, the first list's objects included.
    public func onChange(_ handler: @escaping @Sendable (InformerChange<T>) -> Void) {
        handlers.withLock { $0.append(handler) }
    }

    /// Works until it is cancelled or shut down; no failure of the server ends it.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.follow() }
        } catch is CancellationError {
            // The orderly end.
        }
    }

    private func follow() async throws {
        var machine = InformerStateMachine()
        var action = machine.start()
        while true {
            switch action {
            case .list(let delay):
                try await pause(delay)
                action = try await list(&machine)
            case .watch(let version, let delay):
                try await pause(delay)
                action = try await watch(from: version, &machine)
            }
        }
    }

    private func pause(_ delay: Duration) async throws {
        // Spread: informers that lost one server at the same moment do not return at the same moment.
        if delay > .zero { try await Task.sleep(for: delay * Double.random(in: 0.75...1.25)) }
        try Task.checkCancellation()
    }

    private func list(_ machine: inout InformerStateMachine) async throws -> InformerStateMachine.Action {
        do {
            let listing = try await client.listTolerantly(T.self, namespace: namespace, labels: labels, fields: fields)
            for object in listing.undecodable { report(object) }
            let changes = store.withLock { $0.replace(with: listing.items, undecodable: listing.undecodable) }
            for change in changes { notify(change) }
            synced.open()
            logger.debug("listed", metadata: ["objects": "\(listing.items.count)", "resourceVersion": "\(listing.resourceVersion)"])
            return machine.listed(resourceVersion: listing.resourceVersion)
        } catch let error as KubernetesError {
            logger.warning("cannot list; trying again", metadata: ["error": "\(error)"])
            return machine.listFailed(InformerStateMachine.Failure(error))
        }
    }

    private func watch(from version: String, _ machine: inout InformerStateMachine) async throws -> InformerStateMachine.Action {
        let start = ContinuousClock.now
        do {
            let events = client.watch(T.self, namespace: namespace, labels: labels, fields: fields, resourceVersion: version)
            for try await event in events {
                if case .undecodable(let object) = event { report(object) }
                let change = store.withLock { $0.apply(event) }
                machine.received(resourceVersion: event.resourceVersion)
                if let change { notify(change) }
            }
            let action = machine.watchEnded(after: .now - start)
            if machine.failures > 0 { report(brokenWatchFrom: version, "the server ended it at once", failures: machine.failures) }
            return action
        } catch let error as KubernetesError {
            let action = machine.watchFailed(InformerStateMachine.Failure(error))
            report(brokenWatchFrom: version, "\(error)", failures: machine.failures)
            return action
        }
    }

    /// One broken watch is everyday life; more in a row mean that changes are not seen, or late.
    private func report(brokenWatchFrom version: String, _ reason: String, failures: Int) {
        if failures > 0 { watchFailures.increment() }
        logger.log(
            level: failures > 1 ? .warning : .debug, "watch broke; trying again",
            metadata: ["error": "\(reason)", "resourceVersion": "\(version)", "failuresInARow": "\(failures)"])
    }

    private func notify(_ change: InformerChange<T>) {
        for handler in handlers.withLock({ $0 }) { handler(change) }
    }

    private func report(_ object: UndecodableObject) {
        let name = [object.namespace, object.name].compactMap { $0 }.joined(separator: "/")
        logger.error("an object does not have its kind's shape", metadata: ["object": "\(name)", "reason": "\(object.reason)"])
    }
}

extension InformerStateMachine.Failure {
    init(_ error: KubernetesError) {
        self = error.isExpired ? .expired : .other(retryAfter: error.retryAfter)
    }
}
