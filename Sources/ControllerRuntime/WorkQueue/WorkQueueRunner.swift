import PrometheusMetrics
import Synchronization

/// Hands a `WorkQueue`'s keys to workers as they come due.
final class WorkQueueRunner<Key: Hashable & Sendable>: Sendable {
    fileprivate struct State {
        var queue: WorkQueue<Key>
        var workers: [Int: CheckedContinuation<Key?, Never>] = [:]
        var order: [Int] = []
        var next = 0
        var isShutDown = false
    }

    private let state: Mutex<State>
    private let start = ContinuousClock.now
    private let alarm = Alarm()
    private let metrics: WorkQueueMetrics

    init(queue: WorkQueue<Key> = WorkQueue(), metrics: WorkQueueMetrics) {
        state = Mutex(State(queue: queue))
        self.metrics = metrics
    }

    private var now: Duration { .now - start }

    func add(_ key: Key) {
        update { state, now in if state.queue.add(key, now: now) { metrics.adds.increment() } }
    }

    func add(_ key: Key, after delay: Duration) {
        update { state, now in state.queue.add(key, due: now + delay, now: now) }
        alarm.ring()
    }

    func finish(_ key: Key, _ outcome: WorkQueue<Key>.Outcome, took duration: Duration) {
        let again = update { state, now in state.queue.finish(key, outcome, now: now) }
        metrics.workDuration.observe(duration)
        if again != nil {
            if outcome == .failed { metrics.retries.increment() }
            alarm.ring()
        }
    }

    /// The next key, when there is one; nil after the shutdown.
    func next() async -> Key? {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isLate = state.withLock { state in
                    if state.isShutDown || Task.isCancelled { return true }
                    state.workers[id] = continuation
                    state.order.append(id)
                    return false
                }
                if isLate { continuation.resume(returning: nil) } else { update { _, _ in } }
            }
        } onCancel: {
            let worker = state.withLock { $0.leave(id) }
            worker?.resume(returning: nil)
        }
    }

    /// Moves delayed keys on as they come due, until cancelled.
    func runTimer() async {
        while !Task.isCancelled {
            let due = update { state, now in
                state.queue.advance(to: now)
                return state.queue.nextDue
            }
            await alarm.wait(until: due.map { start + $0 })
        }
    }

    /// No key is handed out any more; waiting workers get nil.
    func shutDown() {
        let workers = state.withLock { state in
            state.isShutDown = true
            defer { (state.workers, state.order) = ([:], []) }
            return state.workers.values.map { $0 }
        }
        for worker in workers { worker.resume(returning: nil) }
    }

    /// Changes the queue, then gives what it has to whoever waits.
    @discardableResult
    private func update<Result>(_ change: (inout State, Duration) -> Result) -> Result {
        let now = self.now
        var handed: [(CheckedContinuation<Key?, Never>, WorkQueue<Key>.Taken)] = []
        let result = state.withLock { state in
            let result = change(&state, now)
            while !state.isShutDown, let worker = state.order.first, let taken = state.queue.take(now: now) {
                if let continuation = state.leave(worker) { handed.append((continuation, taken)) }
            }
            metrics.depth.set(Double(state.queue.depth))
            return result
        }
        for (continuation, taken) in handed {
            metrics.waitDuration.observe(taken.waited)
            continuation.resume(returning: taken.key)
        }
        return result
    }
}

extension WorkQueueRunner.State {
    mutating func leave(_ id: Int) -> CheckedContinuation<Key?, Never>? {
        order.removeAll { $0 == id }
        return workers.removeValue(forKey: id)
    }
}

/// controller-runtime's metrics of a queue.
struct WorkQueueMetrics: Sendable {
    let depth: Gauge
    let adds: Counter
    let retries: Counter
    let waitDuration: Histogram
    let workDuration: Histogram

    init(name: String, registry: MetricsRegistry) {
        // client-go's buckets: from 10 ns to 10 s.
        let buckets = Histogram.exponentialBuckets(start: 10e-9, factor: 10, count: 10)
        let labels = ["name": name, "controller": name]
        depth = registry.gauge(name: "workqueue_depth", help: "Current depth of workqueue", labels: labels)
        adds = registry.counter(name: "workqueue_adds_total", help: "Total number of adds handled by workqueue", labels: labels)
        retries = registry.counter(
            name: "workqueue_retries_total", help: "Total number of retries handled by workqueue", labels: labels)
        waitDuration = registry.histogram(
            name: "workqueue_queue_duration_seconds", help: "How long in seconds an item stays in workqueue before being requested",
            labels: labels, buckets: buckets)
        workDuration = registry.histogram(
            name: "workqueue_work_duration_seconds", help: "How long in seconds processing an item from workqueue takes.",
            labels: labels, buckets: buckets)
    }
}
