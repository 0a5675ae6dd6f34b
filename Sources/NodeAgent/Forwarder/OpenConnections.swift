import NIOCore
import Tunnel

/// The forwarder's open connections by endpoint, and when each was heard last.
struct OpenConnections {
    /// When the endpoint's side said something last; on the event loop.
    final class Heard {
        var at = ContinuousClock.now
    }

    struct Connection: Sendable {
        var end: NIOLoopBound<SocketEnd>
        var heard: NIOLoopBound<Heard>
    }

    private var byEndpoint: [Endpoint: [ObjectIdentifier: Connection]] = [:]

    mutating func add(_ connection: Connection, _ id: ObjectIdentifier, to endpoint: Endpoint) {
        byEndpoint[endpoint, default: [:]][id] = connection
    }

    mutating func remove(_ id: ObjectIdentifier, from endpoint: Endpoint) {
        byEndpoint[endpoint]?[id] = nil
        if byEndpoint[endpoint]?.isEmpty == true { byEndpoint[endpoint] = nil }
    }

    func of(_ endpoint: Endpoint) -> [Connection] { Array(byEndpoint[endpoint, default: [:]].values) }
}
