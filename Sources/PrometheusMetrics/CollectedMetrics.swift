/// Series that are worked out when they are asked for, from what is known at that moment, instead of being kept up to date in between.
public struct CollectedMetrics: Sendable {
    private(set) var families: [String: MetricFamily] = [:]

    /// Of one scrape.
    public init() {}

    /// Tells of a number that rises and falls; the last one told under a name and labels counts.
    public mutating func gauge(name: String, help: String, labels: [String: String] = [:], _ value: Double) {
        families[name, default: MetricFamily(name: name, help: help, kind: .gauge, buckets: [])].instruments[MetricLabels(labels)] =
            .value(value)
    }
}
