import KubernetesAPI
import Logging
import PrometheusMetrics
import ServiceLifecycle
import Synchronization

/// Calls a reconciler for every key that something happened to.
///
/// Failures come again with a backoff of their own key. On a graceful shutdown the reconciliations under way are finished.
public final class Controller: ServiceLifecycle.Service, Sendable {
    public let name: String
    private let reconciler: any Reconciler
    private let concurrency: Int
    private let logger: Logger
    private let queue: WorkQueueRunner<ObjectKey>
    private let metrics: ControllerMetrics
    private let sources = Mutex<[@Sendable () async throws -> Void]>([])

    public convenience init(name: String, reconciler: any Reconciler, concurrency: Int = 1, logger: Logger) {
        self.init(name: name, reconciler: reconciler, concurrency: concurrency, logger: logger, queue: WorkQueue(), registry: .shared)
    }

    init(
        name: String, reconciler: any Reconciler, concurrency: Int, logger: Logger, queue: WorkQueue<ObjectKey>,
        registry: MetricsRegistry
    ) {
        self.name = name
        self.reconciler = reconciler
        self.concurrency = max(concurrency, 1)
        var logger = logger
        logger[metadataKey: "controller"] = "\(name)"
        self.logger = logger
        self.queue = WorkQueueRunner(queue: queue, metrics: WorkQueueMetrics(name: name, registry: registry))
        metrics = ControllerMetrics(name: name, registry: registry)
        metrics.concurrency.set(Double(self.concurrency))
    }

    /// Has the key reconciled soon.
    public func enqueue(_ key: ObjectKey) { queue.add(key) }

    /// Has the key reconciled after a while.
    public func enqueue(_ key: ObjectKey, after delay: Duration) { queue.add(key, after: delay) }

    /// Has the keys that `map` finds for an object reconciled whenever it changes. Before `run`.
    public func watch<T>(_ informer: Informer<T>, map: @escaping @Sendable (T) -> [ObjectKey] = { [ObjectKey($0)] }) {
        watch(informer, when: { _ in true }, map: map)
    }

    /// The same, for those changes only that matter.
    public func watch<T>(
        _ informer: Informer<T>, when matters: @escaping @Sendable (InformerChange<T>) -> Bool,
        map: @escaping @Sendable (T) -> [ObjectKey]
    ) {
        sources.withLock { $0.append { try await informer.waitUntilSynced() } }
        informer.onChange { [queue] change in
            guard matters(change) else { return }
            // What an object no longer points to has to hear of it too.
            if case .updated(let old, _) = change { for key in map(old) { queue.add(key) } }
            for key in map(change.object) { queue.add(key) }
        }
    }

    /// Works until it is cancelled or shut down. Starts when the informers have listed what there is.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                for waitUntilSynced in self.sources.withLock({ $0 }) { try await waitUntilSynced() }
            }
        } catch is CancellationError {
            return
        }
        logger.debug("started", metadata: ["workers": "\(concurrency)"])
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                await work()
            } onCancel: {
                queue.shutDown()
            }
        } onGracefulShutdown: {
            self.queue.shutDown()
        }
    }

    private func work() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.queue.runTimer() }
            await withDiscardingTaskGroup { workers in
                for _ in 0..<concurrency { workers.addTask { await self.worker() } }
            }
            group.cancelAll()
        }
    }

    private func worker() async {
        while let key = await queue.next() {
            metrics.activeWorkers.increment()
            let start = ContinuousClock.now
            let outcome = await reconcile(key)
            let duration = ContinuousClock.now - start
            metrics.activeWorkers.decrement()
            metrics.reconcileTime.observe(duration)
            queue.finish(key, outcome, took: duration)
        }
    }

    private func reconcile(_ key: ObjectKey) async -> WorkQueue<ObjectKey>.Outcome {
        do {
            switch try await reconciler.reconcile(key) {
            case .done:
                metrics.count("success")
                return .done
            case .requeue(let after):
                metrics.count("requeue_after")
                return .again(after: after)
            }
        } catch  where error is CancellationError && Task.isCancelled {
            return .failed
        } catch {
            metrics.count("error")
            metrics.errors.increment()
            logger.warning("reconciling failed; trying again", metadata: ["key": "\(key)", "error": "\(error)"])
            return .failed
        }
    }
}

/// controller-runtime's metrics of a controller.
struct ControllerMetrics: Sendable {
    let registry: MetricsRegistry
    let name: String
    let errors: Counter
    let reconcileTime: Histogram
    let concurrency: Gauge
    let activeWorkers: Gauge

    init(name: String, registry: MetricsRegistry) {
        self.registry = registry
        self.name = name
        let labels = ["controller": name]
        errors = registry.counter(
            name: "controller_runtime_reconcile_errors_total", help: "Total number of reconciliation errors per controller", labels: labels)
        reconcileTime = registry.histogram(
            name: "controller_runtime_reconcile_time_seconds", help: "Length of time per reconciliation per controller", labels: labels,
            buckets: Histogram.defaultBuckets + [30, 60])
        concurrency = registry.gauge(
            name: "controller_runtime_max_concurrent_reconciles", help: "Maximum number of concurrent reconciles per controller",
            labels: labels)
        activeWorkers = registry.gauge(
            name: "controller_runtime_active_workers", help: "Number of currently used workers per controller", labels: labels)
        for result in ["success", "error", "requeue_after"] { _ = total(result) }
    }

    func count(_ result: String) { total(result).increment() }

    private func total(_ result: String) -> Counter {
        registry.counter(
            name: "controller_runtime_reconcile_total", help: "Total number of reconciliations per controller",
            labels: ["controller": name, "result": result])
    }
}
