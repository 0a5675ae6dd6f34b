import Synchronization

/// Holds every instrument of a process and writes them as Prometheus text.
///
/// An instrument is made once for a name and a set of labels; asking again gives the same one, so callers need not keep it.
public final class MetricsRegistry: Sendable {
    /// The process's own registry, which its `/metrics` serves.
    public static let shared = MetricsRegistry()

    private let families = Mutex<[String: MetricFamily]>([:])
    private let collectors = Mutex(Collectors())

    private struct Collectors {
        var asked: [Int: @Sendable () -> CollectedMetrics] = [:]
        var next = 0
    }

    public init() {}

    /// A number that only grows. Its name ends in `_total` by convention.
    public func counter(name: String, help: String, labels: [String: String] = [:]) -> Counter {
        instrument(name: name, help: help, kind: .counter, labels: labels, make: { .counter(Counter()) }) {
            guard case .counter(let counter) = $0 else { return nil }
            return counter
        } ?? Counter()
    }

    /// A number that rises and falls.
    public func gauge(name: String, help: String, labels: [String: String] = [:]) -> Gauge {
        instrument(name: name, help: help, kind: .gauge, labels: labels, make: { .gauge(Gauge()) }) {
            guard case .gauge(let gauge) = $0 else { return nil }
            return gauge
        } ?? Gauge()
    }

    /// How often which values were seen, in cumulative buckets. A family's buckets are those of its first registration.
    public func histogram(
        name: String, help: String, labels: [String: String] = [:], buckets: [Double] = Histogram.defaultBuckets
    ) -> Histogram {
        instrument(
            name: name, help: help, kind: .histogram, labels: labels, buckets: buckets,
            make: { .histogram(Histogram(buckets: $0)) }
        ) {
            guard case .histogram(let histogram) = $0 else { return nil }
            return histogram
        } ?? Histogram(buckets: buckets)
    }

    /// Forgets the instrument of one set of labels, when what it was about is gone.
    public func remove(name: String, labels: [String: String]) {
        families.withLock { _ = $0[name]?.instruments.removeValue(forKey: MetricLabels(labels)) }
    }

    /// Has `collect` asked at each scrape while `body` runs. What it no longer tells of is gone at the next scrape, and all of it with
    /// the end of `body`: there is nothing to be taken back.
    public func collecting<Result>(
        _ collect: @escaping @Sendable () -> CollectedMetrics, isolation: isolated (any Actor)? = #isolation,
        while body: () async throws -> Result
    ) async rethrows -> Result {
        let number = collectors.withLock { collectors in
            collectors.next += 1
            collectors.asked[collectors.next] = collect
            return collectors.next
        }
        defer { collectors.withLock { _ = $0.asked.removeValue(forKey: number) } }
        return try await body()
    }

    /// Everything in the text exposition format (version 0.0.4), in an order that does not change between calls.
    public func render() -> String {
        var families = families.withLock { $0 }
        for (_, collect) in collectors.withLock({ $0.asked }).sorted(by: { $0.key < $1.key }) {
            for (name, family) in collect().families {
                assert(families[name].map { $0.kind == family.kind } ?? true, "the metric \(name) is registered as another kind")
                families[name, default: family].instruments.merge(family.instruments) { kept, _ in kept }
            }
        }
        var text = ExpositionText()
        for family in families.values.sorted(by: { $0.name < $1.name }) { text.append(family) }
        return text.output
    }

    private func instrument<Handle>(
        name: String, help: String, kind: MetricKind, labels: [String: String], buckets: [Double] = [],
        make: ([Double]) -> Instrument, unwrap: (Instrument) -> Handle?
    ) -> Handle? {
        let key = MetricLabels(labels)
        let instrument = families.withLock { families in
            var family = families[name] ?? MetricFamily(name: name, help: help, kind: kind, buckets: buckets)
            // A name used for two kinds is a mistake in the program, but no reason to stop it: the second stays unseen.
            guard family.kind == kind else { return Instrument?.none }
            if let known = family.instruments[key] { return known }
            let made = make(family.buckets)
            family.instruments[key] = made
            families[name] = family
            return made
        }
        assert(instrument != nil, "the metric \(name) is registered as another kind")
        return instrument.flatMap(unwrap)
    }

    private func instrument<Handle>(
        name: String, help: String, kind: MetricKind, labels: [String: String],
        make: () -> Instrument, unwrap: (Instrument) -> Handle?
    ) -> Handle? {
        instrument(name: name, help: help, kind: kind, labels: labels, buckets: [], make: { _ in make() }, unwrap: unwrap)
    }
}

enum MetricKind: String, Sendable {
    case counter
    case gauge
    case histogram
}

enum Instrument: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
    /// One that was worked out for a scrape.
    case value(Double)
}

struct MetricFamily: Sendable {
    var name: String
    var help: String
    var kind: MetricKind
    var buckets: [Double]
    var instruments: [MetricLabels: Instrument] = [:]
}

/// Labels in the order of their names, so that equal sets are equal and come out the same way each time.
struct MetricLabels: Hashable, Comparable, Sendable {
    var pairs: [Pair]

    struct Pair: Hashable, Sendable {
        var name: String
        var value: String
    }

    init(_ labels: [String: String]) {
        pairs = labels.map { Pair(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
    }

    static func < (left: MetricLabels, right: MetricLabels) -> Bool {
        for (one, other) in zip(left.pairs, right.pairs) where one != other {
            return (one.name, one.value) < (other.name, other.value)
        }
        return left.pairs.count < right.pairs.count
    }
}
