import Synchronization

/// A number that only grows.
public final class Counter: Sendable {
    private let total = Mutex<Double>(0)

    init() {}

    /// Adds `amount`; a negative one is ignored, since scrapers read a falling counter as a restart.
    public func increment(by amount: Double = 1) {
        guard amount >= 0 else { return }
        total.withLock { $0 += amount }
    }

    public var value: Double { total.withLock { $0 } }
}

/// A number that rises and falls.
public final class Gauge: Sendable {
    private let current = Mutex<Double>(0)

    init() {}

    public func set(_ value: Double) { current.withLock { $0 = value } }
    public func increment(by amount: Double = 1) { current.withLock { $0 += amount } }
    public func decrement(by amount: Double = 1) { current.withLock { $0 -= amount } }

    public var value: Double { current.withLock { $0 } }
}

/// How often which values were seen.
public final class Histogram: Sendable {
    /// Prometheus' usual bounds, in seconds.
    public static let defaultBuckets: [Double] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    /// `count` bounds, each `factor` times the one before.
    public static func exponentialBuckets(start: Double, factor: Double, count: Int) -> [Double] {
        var bound = start
        return (0..<count).map { _ in
            defer { bound *= factor }
            return bound
        }
    }

    struct Snapshot: Sendable {
        /// One count a bound, and a last one for what exceeds them all; not cumulative.
        var counts: [UInt64]
        var sum: Double
    }

    /// Ascending upper bounds, without the infinite one.
    let bounds: [Double]
    private let state: Mutex<Snapshot>

    init(buckets: [Double]) {
        bounds = buckets.filter { $0.isFinite }.sorted()
        state = Mutex(Snapshot(counts: Array(repeating: 0, count: bounds.count + 1), sum: 0))
    }

    public func observe(_ value: Double) {
        // A NaN fits no bucket and would spoil the sum for good.
        guard !value.isNaN else { return }
        let index = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock {
            $0.counts[index] += 1
            $0.sum += value
        }
    }

    /// Observes a duration in seconds, as every `_seconds` histogram counts.
    public func observe(_ duration: Duration) {
        let parts = duration.components
        observe(Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
    }

    var snapshot: Snapshot { state.withLock { $0 } }
}
