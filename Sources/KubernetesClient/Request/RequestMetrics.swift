import PrometheusMetrics

/// client-go's names, so that existing dashboards work.
struct RequestMetrics: Sendable {
    let registry: MetricsRegistry
    let host: String

    func answered(_ method: HTTPVerb, code: String, after duration: Duration) {
        registry.counter(
            name: "rest_client_requests_total", help: "Number of HTTP requests, partitioned by status code, method, and host.",
            labels: ["code": code, "method": method.rawValue, "host": host]
        ).increment()
        registry.histogram(
            name: "rest_client_request_duration_seconds", help: "Request latency in seconds, to the head of the answer.",
            labels: ["verb": method.rawValue, "host": host]
        ).observe(duration)
    }

    func undecodable(_ resource: String) {
        registry.counter(
            name: "rest_client_undecodable_objects_total",
            help: "Number of objects in lists and watches that do not have the shape expected of their kind.",
            labels: ["resource": resource]
        ).increment()
    }
}
