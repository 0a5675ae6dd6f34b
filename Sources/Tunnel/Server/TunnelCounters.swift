import NIOCore
import PrometheusMetrics
import Synchronization

/// What a tunnel end counts; read by whoever publishes metrics.
public final class TunnelCounters: Sendable {
    public let agentsConnected = Atomic<Int>(0)
    public let agentsAccepted = Atomic<Int>(0)
    public let agentsRefused = Atomic<Int>(0)
    /// Connections to servers that an agent made, and those that came to nothing.
    public let serversConnected = Atomic<Int>(0)
    public let serversFailed = Atomic<Int>(0)
    public let connectionsOpen = Atomic<Int>(0)
    /// Dials under way.
    public let dialsPending = Atomic<Int>(0)
    public let dialsSucceeded = Atomic<Int>(0)
    public let dialsFailed = Atomic<Int>(0)
    /// Of those that failed at an agent of upstream's servers.
    public let dialsTimedOut = Atomic<Int>(0)
    public let dialsAbandoned = Atomic<Int>(0)
    /// Dials refused because a limit was reached.
    public let dialsOverLimit = Atomic<Int>(0)
    /// Dials that a peer was asked to carry.
    public let dialsPassedOn = Atomic<Int>(0)
    public let frontsRefused = Atomic<Int>(0)
    /// Front connections that said nothing and had to make room.
    public let frontsEvicted = Atomic<Int>(0)
    /// How often a reader did not take at once what had arrived for it.
    public let readerStalls = Atomic<Int>(0)
    /// How often a connection to the other end was full, and what was to be sent had to wait.
    public let carrierStalls = Atomic<Int>(0)
    public let bytesToNodes = Atomic<Int>(0)
    public let bytesFromNodes = Atomic<Int>(0)

    private let registry: MetricsRegistry
    private let connectTimes: Histogram
    private let failureTimes: Histogram

    public init() {
        let registry = MetricsRegistry()
        self.registry = registry
        func histogram(_ result: String) -> Histogram {
            registry.histogram(
                name: "nestbox_tunnel_dial_duration_seconds", help: "From the request for a target to its answer.",
                labels: ["result": result], buckets: Histogram.exponentialBuckets(start: 0.0005, factor: 2, count: 15))
        }
        connectTimes = histogram("connected")
        failureTimes = histogram("failed")
    }

    func dialSucceeded(after time: TimeAmount) {
        dialsSucceeded.add(1)
        connectTimes.observe(Double(time.nanoseconds) / 1e9)
    }

    func dialFailed(after time: TimeAmount) {
        dialsFailed.add(1)
        failureTimes.observe(Double(time.nanoseconds) / 1e9)
    }

    /// All of it, as Prometheus text.
    public func render() -> String {
        // Put into a registry of this scrape's, so that counting costs what an atomic does.
        let scrape = MetricsRegistry()
        scrape.gauge(name: "nestbox_tunnel_connections", help: "Tunnelled connections that are open.")
            .set(Double(connectionsOpen.current))
        scrape.gauge(name: "nestbox_tunnel_dials_pending", help: "Dials that are under way.").set(Double(dialsPending.current))
        func count(_ name: String, _ help: String, _ labels: [String: String], _ value: Int) {
            scrape.counter(name: "nestbox_tunnel_" + name, help: help, labels: labels).increment(by: Double(value))
        }
        count("agent_connects_total", "Agents that connected.", ["result": "accepted"], agentsAccepted.current)
        count("agent_connects_total", "Agents that connected.", ["result": "refused"], agentsRefused.current)
        count("server_connects_total", "Connections made to servers.", ["result": "connected"], serversConnected.current)
        count("server_connects_total", "Connections made to servers.", ["result": "failed"], serversFailed.current)
        count("dials_total", "Targets dialled.", ["result": "connected"], dialsSucceeded.current)
        count("dials_total", "Targets dialled.", ["result": "failed"], dialsFailed.current)
        count("dials_total", "Targets dialled.", ["result": "abandoned"], dialsAbandoned.current)
        count("dials_passed_on_total", "Dials that a peer was asked to carry.", [:], dialsPassedOn.current)
        count("limits_hit_total", "What was turned away because a limit was reached.", ["limit": "dials"], dialsOverLimit.current)
        count("limits_hit_total", "What was turned away because a limit was reached.", ["limit": "silent_fronts"], frontsEvicted.current)
        count("requests_refused_total", "Front connections without a good CONNECT.", [:], frontsRefused.current)
        count("stalls_total", "How often bytes had to wait.", ["for": "reader"], readerStalls.current)
        count("stalls_total", "How often bytes had to wait.", ["for": "carrier"], carrierStalls.current)
        count("bytes_total", "Bytes carried.", ["direction": "to_node"], bytesToNodes.current)
        count("bytes_total", "Bytes carried.", ["direction": "from_node"], bytesFromNodes.current)
        return scrape.render() + registry.render()
    }
}

extension Atomic where Value == Int {
    func add(_ amount: Int) { wrappingAdd(amount, ordering: .relaxed) }
    public var current: Int { load(ordering: .relaxed) }
}
