/// A dial that goes to another connection of the node's agent, another agent or a peer when the first is lost before it answers.
final class RoutedDial: PendingDial {
    private let registry: AgentRegistry
    private let target: Endpoint
    private let mayAskPeers: Bool
    private let answer: (Result<any RelayEnd, DialFailure>) -> Void
    private var tried: Set<UInt64> = []
    private var current: (any PendingDial)?
    private var isOver = false

    init(
        registry: AgentRegistry, target: Endpoint, mayAskPeers: Bool, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void
    ) {
        self.registry = registry
        self.target = target
        self.mayAskPeers = mayAskPeers
        self.answer = answer
    }

    /// Throws when nobody can carry it.
    func start() throws(DialFailure) {
        let carrier = try registry.carrier(to: target, excluding: tried, mayAskPeers: mayAskPeers)
        tried.insert(carrier.id)
        current = carrier.dial(target) { result in
            guard !self.isOver else { return }
            if case .failure(.lost) = result, (try? self.start()) != nil {
                return
            } else {
                self.isOver = true
                self.current = nil
                self.answer(result)
            }
        }
    }

    func abandon() {
        isOver = true
        current?.abandon()
        current = nil
    }
}
