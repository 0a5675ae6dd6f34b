import Testing

@testable import PrometheusMetrics

@Suite struct MetricsRegistryTests {
    @Test func `The text format, in an order that does not change`() {
        let registry = MetricsRegistry()
        registry.gauge(name: "b_depth", help: "Depth", labels: ["name": "two"]).set(2.5)
        registry.gauge(name: "b_depth", help: "Depth", labels: ["name": "one"]).set(-1)
        registry.counter(name: "a_total", help: "All").increment(by: 3)
        let latency = registry.histogram(name: "c_seconds", help: "Time", labels: ["verb": "GET"], buckets: [0.1, 1])
        for value in [0.05, 0.1, 0.5, 7] { latency.observe(value) }
        latency.observe(.milliseconds(250))
        #expect(
            registry.render() == """
                # HELP a_total All
                # TYPE a_total counter
                a_total 3
                # HELP b_depth Depth
                # TYPE b_depth gauge
                b_depth{name="one"} -1
                b_depth{name="two"} 2.5
                # HELP c_seconds Time
                # TYPE c_seconds histogram
                c_seconds_bucket{verb="GET",le="0.1"} 2
                c_seconds_bucket{verb="GET",le="1"} 4
                c_seconds_bucket{verb="GET",le="+Inf"} 5
                c_seconds_sum{verb="GET"} 7.9
                c_seconds_count{verb="GET"} 5

                """)
    }

    @Test func `A name and its labels are one instrument, whatever the order`() {
        let registry = MetricsRegistry()
        registry.counter(name: "a", help: "x", labels: ["p": "1", "q": "2"]).increment()
        registry.counter(name: "a", help: "other words", labels: ["q": "2", "p": "1"]).increment()
        #expect(registry.counter(name: "a", help: "x", labels: ["p": "1", "q": "2"]).value == 2)
        #expect(registry.render().contains("# HELP a x\n"))
        registry.remove(name: "a", labels: ["p": "1", "q": "2"])
        #expect(registry.render() == "")
    }

    @Test(arguments: [
        ("a\\b", #"a\\b"#), ("a\nb", #"a\nb"#), ("say \"x\"", #"say \"x\""#), ("a\r\nb", "a\r\\nb"), ("ä", "ä"),
    ])
    func `Labels are escaped`(value: String, written: String) {
        let registry = MetricsRegistry()
        registry.gauge(name: "a", help: "x", labels: ["l": value]).set(1)
        #expect(registry.render().hasSuffix("a{l=\"\(written)\"} 1\n"))
    }

    @Test func `Help keeps its quotes`() {
        let registry = MetricsRegistry()
        registry.gauge(name: "a", help: "the \"x\"\nof \\").set(1)
        #expect(registry.render().hasPrefix(#"# HELP a the "x"\nof \\"# + "\n"))
    }

    @Test(arguments: [
        (0.0, "0"), (1e14, "100000000000000"), (0.1, "0.1"), (.infinity, "+Inf"), (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"),
    ])
    func numbers(value: Double, written: String) { #expect(ExpositionText.number(value) == written) }

    @Test func `Counters do not fall, and a histogram takes no NaN`() {
        let registry = MetricsRegistry()
        let counter = registry.counter(name: "a", help: "x")
        counter.increment(by: -1)
        #expect(counter.value == 0)
        let histogram = registry.histogram(name: "b", help: "x")
        histogram.observe(.nan)
        #expect(histogram.snapshot.sum == 0)
    }

    @Test func `Many at once lose nothing`() async {
        let registry = MetricsRegistry()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<1000 { registry.counter(name: "a", help: "x").increment() } }
            }
        }
        #expect(registry.counter(name: "a", help: "x").value == 8000)
    }

    @Test func `Exponential bounds`() {
        #expect(Histogram.exponentialBuckets(start: 1, factor: 2, count: 4) == [1, 2, 4, 8])
    }

    @Test func `What is collected is told while it is asked for, and no longer`() async {
        let registry = MetricsRegistry()
        registry.gauge(name: "b", help: "kept", labels: ["x": "1"]).set(1)
        await registry.collecting({
            var metrics = CollectedMetrics()
            metrics.gauge(name: "a", help: "seen", labels: ["tenant": "one"], 2)
            metrics.gauge(name: "b", help: "other words", labels: ["x": "2"], 3)
            // What is kept wins: a collector may not hide it.
            metrics.gauge(name: "b", help: "other words", labels: ["x": "1"], 4)
            return metrics
        }) {
            #expect(
                registry.render() == """
                    # HELP a seen
                    # TYPE a gauge
                    a{tenant="one"} 2
                    # HELP b kept
                    # TYPE b gauge
                    b{x="1"} 1
                    b{x="2"} 3

                    """)
        }
        #expect(registry.render() == "# HELP b kept\n# TYPE b gauge\nb{x=\"1\"} 1\n")
    }

    @Test func `A collector is asked no more when what it was asked for has failed`() async {
        struct Failure: Error {}
        let registry = MetricsRegistry()
        await #expect(throws: Failure.self) {
            try await registry.collecting({
                var metrics = CollectedMetrics()
                metrics.gauge(name: "a", help: "x", 1)
                return metrics
            }) { throw Failure() }
        }
        #expect(registry.render() == "")
    }
}
