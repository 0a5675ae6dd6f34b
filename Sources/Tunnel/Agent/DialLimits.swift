import Logging

/// How many connections an agent dials and carries at once. On its event loop only.
final class DialLimits {
    static let dialing = 2048
    /// So that one target that answers nothing leaves room for the others.
    static let dialingOneHost = 256
    static let open = 16_384

    private let counters: TunnelCounters
    private let memory: ProcessMemory
    private var log: LimitLog
    private var dialing = 0
    private var byHost: [String: Int] = [:]
    private var open = 0

    init(counters: TunnelCounters, memory: ProcessMemory, logger: Logger) {
        log = LimitLog(logger)
        self.counters = counters
        self.memory = memory
    }

    /// Throws when there are enough of them.
    func beginDial(to target: Endpoint) throws(DialFailure) {
        let problem: String? =
            if dialing >= Self.dialing {
                "the node's agent has \(dialing) dials under way, its limit"
            } else if byHost[target.host, default: 0] >= Self.dialingOneHost {
                "the node's agent has \(Self.dialingOneHost) dials to that host under way, its limit"
            } else if open >= Self.open {
                "the node's agent has \(open) connections open, its limit"
            } else {
                nil
            }
        if let problem {
            counters.dialsOverLimit.add(1)
            log.hit(problem)
            throw .unavailable(problem)
        }
        dialing += 1
        byHost[target.host, default: 0] += 1
    }

    func endDial(to target: Endpoint) {
        dialing -= 1
        byHost[target.host] = byHost[target.host].flatMap { $0 > 1 ? $0 - 1 : nil }
    }

    func opened() {
        open += 1
        memory.opened()
        counters.connectionsOpen.add(1)
    }

    func closed() {
        open -= 1
        memory.closed()
        counters.connectionsOpen.add(-1)
    }
}
