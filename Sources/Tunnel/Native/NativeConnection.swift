import Logging

/// The server's end of one agent's native connection.
final class NativeConnection: NodeConnection {
    let id: UInt64
    let identity: AgentIdentity
    private(set) var publication = ControlPublication()
    /// Each is an agent of its own: where agents run alone, all may show one certificate.
    let candidate: ProxyCandidate
    private var isLeaving = false
    private let carrier: Carrier
    private let counters: TunnelCounters
    private let logger: Logger
    private let onConfirmation: (NativeConnection) -> Void

    /// `onConfirmation` is called when the agent has said what it makes of its state.
    init(
        id: UInt64, identity: AgentIdentity, carrier: Carrier, counters: TunnelCounters, logger: Logger,
        onConfirmation: @escaping (NativeConnection) -> Void
    ) {
        self.id = id
        self.identity = identity
        // One that is about to leave takes no dial at all.
        candidate = ProxyCandidate(agentID: "\(id)", identifiers: AgentIdentifiers(), isDraining: false)
        self.carrier = carrier
        self.counters = counters
        self.logger = logger
        self.onConfirmation = onConfirmation
    }

    var isClosing: Bool { isLeaving || !carrier.isOpen }

    /// The agent said that it takes no new streams.
    func agentIsLeaving() { isLeaving = true }

    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) -> any PendingDial {
        let counters = counters
        return carrier.open(target, countReceived: { counters.bytesFromNodes.add($0) }) { result in
            answer(result.mapError { $0.naming(target) })
        }
    }

    func close(reason: String) {
        guard !carrier.isClosing else { return }
        logger.info("closing an agent's connection", metadata: ["reason": "\(reason)"])
        carrier.close(reason: reason)
    }

    // MARK: Control

    func publish(_ state: NodeState) {
        guard let news = publication.publish(state) else { return }
        carrier.sendControl(news)
    }

    func introduce(serverID: String, serverCount: Int) { carrier.sendControl(.server(id: serverID, count: serverCount)) }

    func leave(reason: String) { carrier.write(.leaving(reason: reason)) }

    func received(_ message: ControlMessage) {
        switch message {
        case .confirm(let revision):
            publication.confirmed(revision)
            onConfirmation(self)
        case .failed(let revision, let reason):
            logger.warning("the node could not follow its new state", metadata: ["revision": "\(revision)", "reason": "\(reason)"])
            publication.failed(revision, reason: reason)
            onConfirmation(self)
        case .server, .state, .holds, .drops:
            // Only the server says what is.
            break
        }
    }
}
