/// This server's connection to a peer: carries dials to the agents that the peer holds.
final class PeerConnection: DialCarrier {
    let id: UInt64
    private(set) var nodes: Set<String> = []
    private let carrier: Carrier
    private let counters: TunnelCounters
    /// Whether the peer said that it will stop. It carries on for a while, but what it carries may outlast it.
    private(set) var isLeaving = false

    init(id: UInt64, carrier: Carrier, counters: TunnelCounters) {
        self.id = id
        self.carrier = carrier
        self.counters = counters
    }

    var isClosing: Bool { !carrier.isOpen }

    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) -> any PendingDial {
        let counters = counters
        counters.dialsPassedOn.add(1)
        return carrier.open(target, countReceived: { counters.bytesFromNodes.add($0) }, answer: answer)
    }

    func peerIsLeaving() { isLeaving = true }

    func received(_ message: ControlMessage) {
        switch message {
        case .holds(let node): nodes.insert(node)
        case .drops(let node): nodes.remove(node)
        default: break
        }
    }

    func close(reason: String) { carrier.close(reason: reason) }
}
