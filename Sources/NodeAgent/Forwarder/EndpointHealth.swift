import Tunnel

/// Which of the API's endpoints to try, and in what order.
///
/// An endpoint that failed stands behind those that did not, but stays in the list: when all have failed, the one whose failure is
/// oldest is tried first.
struct EndpointHealth {
    /// So many failed probes in a row make an endpoint's open connections worthless, as far as they are silent. Behind an address that
    /// balances among several pods one of which is gone, one probe in three fails, and two in a row soon do.
    static let failuresToBreak = 3
    /// And over so long a time: many new connections at once fail at once.
    static let timeToBreak = Duration.seconds(4)

    private struct Entry {
        var endpoint: Endpoint
        var failures = 0
        var firstFailure: ContinuousClock.Instant?
        var lastFailure: ContinuousClock.Instant?
    }

    private var entries: [Entry]
    private var turn = 0

    init(_ endpoints: [Endpoint]) {
        entries = []
        update(endpoints)
    }

    var endpoints: [Endpoint] { entries.map(\.endpoint) }

    /// Takes a new list over, keeping what is known; returns those that are gone.
    @discardableResult
    mutating func update(_ endpoints: [Endpoint]) -> [Endpoint] {
        let old = entries
        var seen: Set<Endpoint> = []
        entries = endpoints.filter { seen.insert($0).inserted }.map { endpoint in
            old.first { $0.endpoint == endpoint } ?? Entry(endpoint: endpoint)
        }
        return old.map(\.endpoint).filter { !seen.contains($0) }
    }

    /// The endpoints in the order to try them for one connection: the sound ones take turns.
    mutating func nextOrder() -> [Endpoint] {
        let sound = entries.filter { $0.failures == 0 }.map(\.endpoint)
        let failed = entries.filter { $0.failures > 0 }.sorted { left, right in
            guard let one = left.lastFailure, let other = right.lastFailure else { return false }
            return one < other
        }
        guard !sound.isEmpty else { return failed.map(\.endpoint) }
        turn = (turn + 1) % sound.count
        return Array(sound[turn...] + sound[..<turn]) + failed.map(\.endpoint)
    }

    mutating func succeeded(_ endpoint: Endpoint) { change(endpoint) { $0.failures = 0 } }

    /// Returns since when the endpoint has failed, when its open connections that were silent since are to be closed, so that their
    /// clients come again by another. One that still speaks is of a pod that is about to leave, say, and finishes its requests.
    mutating func failed(_ endpoint: Endpoint, at now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        change(endpoint) {
            if $0.failures == 0 { $0.firstFailure = now }
            $0.failures += 1
            $0.lastFailure = now
        }
        guard entries.contains(where: { $0.endpoint != endpoint && $0.failures == 0 }),
            let entry = entries.first(where: { $0.endpoint == endpoint }), entry.failures >= Self.failuresToBreak,
            let first = entry.firstFailure, now - first >= Self.timeToBreak
        else { return nil }
        return first
    }

    private mutating func change(_ endpoint: Endpoint, _ body: (inout Entry) -> Void) {
        guard let index = entries.firstIndex(where: { $0.endpoint == endpoint }) else { return }
        body(&entries[index])
    }
}
