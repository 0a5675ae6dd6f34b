import Logging
import NIOCore

/// How many connections the front serves in each state, and what gives way when there are too many. On the tunnel's event loop only.
final class FrontLimits {
    /// Connections that have not asked for anything yet. kube-apiserver asks at once, so of too many the oldest goes.
    static let silent = 1024
    static let dialing = 4096
    static let open = 16_384

    private let counters: TunnelCounters
    private let memory: ProcessMemory
    private var log: LimitLog
    private var waiting: [ObjectIdentifier: FrontHandler] = [:]
    private var order = CircularBuffer<ObjectIdentifier>()
    private var dials = 0

    init(counters: TunnelCounters, memory: ProcessMemory, logger: Logger) {
        log = LimitLog(logger)
        self.counters = counters
        self.memory = memory
    }

    /// A connection is there and silent.
    func came(_ front: FrontHandler) {
        let id = ObjectIdentifier(front)
        waiting[id] = front
        order.append(id)
        while waiting.count > Self.silent, let oldest = order.popFirst() {
            guard let front = waiting.removeValue(forKey: oldest) else { continue }
            counters.frontsEvicted.add(1)
            log.hit("connections without a CONNECT: \(Self.silent)")
            front.evict()
        }
        // Those that spoke are still in line; they leave it from the front, or when they are most of it.
        if order.count > 2 * Self.silent { order.removeAll { waiting[$0] == nil } }
    }

    /// It asked, or is gone.
    func spoke(_ front: FrontHandler) { waiting[ObjectIdentifier(front)] = nil }

    /// Throws when there are enough dials under way, or connections open.
    func beginDial(to target: Endpoint) throws(DialFailure) {
        let open = counters.connectionsOpen.current
        guard dials < Self.dialing, open < Self.open else {
            counters.dialsOverLimit.add(1)
            log.hit("dials under way: \(Self.dialing), connections open: \(Self.open)")
            throw .unavailable("\(target): \(dials) dials are under way and \(open) connections open, the tunnel's limit")
        }
        dials += 1
        counters.dialsPending.add(1)
    }

    func endDial() {
        dials -= 1
        counters.dialsPending.add(-1)
    }

    func opened() {
        memory.opened()
        counters.connectionsOpen.add(1)
    }

    func closed() {
        memory.closed()
        counters.connectionsOpen.add(-1)
    }
}
