import Tunnel

/// One connection's way to an endpoint: the next one is tried as soon as one failed, or has kept it waiting, until one answers; the
/// first to answer has it. Pure.
///
/// An address behind which nothing serves may answer nothing at all, as that of a node that is off, or of one that has no pod of the
/// control plane where traffic stays on its node.
struct EndpointRace {
    enum Action: Equatable {
        case connect(Endpoint)
        case wait
        case giveUp
    }

    private var waiting: ArraySlice<Endpoint>
    private var running: Set<Endpoint> = []
    private var latest: Endpoint?
    private var isOver = false

    init(_ order: [Endpoint]) { waiting = order[...] }

    mutating func start() -> Action { next() }

    /// It has been waited for that endpoint.
    mutating func waited(for endpoint: Endpoint) -> Action {
        guard !isOver, endpoint == latest, running.contains(endpoint), !waiting.isEmpty else { return .wait }
        return next()
    }

    mutating func failed(_ endpoint: Endpoint) -> Action {
        running.remove(endpoint)
        guard !isOver else { return .wait }
        return waiting.isEmpty && !running.isEmpty ? .wait : next()
    }

    /// Whether it was the first.
    mutating func connected() -> Bool {
        defer { isOver = true }
        return !isOver
    }

    private mutating func next() -> Action {
        guard let endpoint = waiting.popFirst() else {
            isOver = true
            return .giveUp
        }
        running.insert(endpoint)
        latest = endpoint
        return .connect(endpoint)
    }
}
