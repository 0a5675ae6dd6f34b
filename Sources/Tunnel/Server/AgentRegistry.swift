import Synchronization

/// The connected agents, by node. On the tunnel's event loop only.
final class AgentRegistry: Dialer {
    /// Per node, oldest first: an agent that reconnects may be here before its old connection is known to be dead.
    private var byNode: [String: [any NodeConnection]] = [:]
    /// The nodes in the order in which they take turns for what no node owns, and whose turn was last.
    private var turns: [String] = []
    private var turn = 0
    private let directory: any NodeDirectory
    private let roster: AgentRoster
    /// How an agent is found for what no node owns, where agents are believed; nil where they are not.
    private let strategies: [ProxyStrategy]?

    init(directory: any NodeDirectory, roster: AgentRoster, peers: PeerLinks, strategies: [ProxyStrategy]?) {
        self.strategies = strategies
        self.directory = directory
        self.peers = peers
        self.roster = roster
    }

    /// Told as this server comes to hold a node, and no longer does.
    var onChange: (_ node: String, _ isHeld: Bool) -> Void = { _, _ in }
    private(set) var nodes: Set<String> = []
    private let peers: PeerLinks

    func add(_ connection: any NodeConnection) {
        byNode[connection.identity.node, default: []].append(connection)
        report(connection)
    }

    func remove(_ connection: any NodeConnection) {
        let node = connection.identity.node
        byNode[node]?.removeAll { $0.id == connection.id }
        if byNode[node]?.isEmpty == true { byNode[node] = nil }
        roster.remove(connection.id)
        noteChange(of: node)
    }

    private func noteChange(of node: String) {
        let isHeld = byNode[node]?.contains { !$0.isClosing } ?? false
        guard isHeld != nodes.contains(node) else { return }
        if isHeld { nodes.insert(node) } else { nodes.remove(node) }
        turns = nodes.sorted()
        onChange(node, isHeld)
    }

    /// Lets those outside of the event loop know how the agent stands.
    func report(_ connection: any NodeConnection) {
        noteChange(of: connection.identity.node)
        guard !connection.isClosing else { return roster.remove(connection.id) }
        let publication = connection.publication
        roster.set(
            connection.id,
            ConnectedAgent(node: connection.identity.node, confirmed: publication.confirmedState, failure: publication.failure))
    }

    var connections: [any NodeConnection] { byNode.keys.sorted().flatMap { byNode[$0, default: []] } }

    /// The record changed: agents that it no longer admits lose their tunnel, the others learn the news.
    func directoryChanged() {
        for connection in connections {
            switch directory.admission(of: connection.identity) {
            case .refused(let reason):
                connection.close(reason: reason)
            case .admitted:
                if let news = directory.state(for: connection.identity.node) { connection.publish(news) }
            case .undecided:
                break
            }
            report(connection)
        }
        roster.noteDirectory()
    }

    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) throws(DialFailure) -> any PendingDial {
        let dial = RoutedDial(registry: self, target: target, mayAskPeers: true, answer: answer)
        try dial.start()
        return dial
    }

    /// For a peer: what it asks goes to this server's own agents, so that no dial wanders from server to server.
    func dialOwnAgents(
        _ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void
    ) throws(DialFailure) -> any PendingDial {
        let dial = RoutedDial(registry: self, target: target, mayAskPeers: false, answer: answer)
        try dial.start()
        return dial
    }

    /// Who is to carry a dial, and was not tried for it yet: the node's agent if it is connected here, else a peer that holds it.
    func carrier(to target: Endpoint, excluding tried: Set<UInt64>, mayAskPeers: Bool) throws(DialFailure) -> any DialCarrier {
        let node: String?
        switch directory.route(to: target.host) {
        case .refused(let reason): throw .forbidden("\(target): \(reason)")
        case .node(let name): node = name
        case .anyNode: node = nil
        }
        if node == nil, let strategies {
            if let own = chosen(by: strategies, for: target.host, tried) { return own }
        } else if let own = ownCarrier(of: node, excluding: tried) {
            return own
        }
        if mayAskPeers, let peer = peers.connection(holding: node, excluding: tried) { return peer }
        throw .unavailable("\(target): \(node.map { "the agent of node \($0) is not connected" } ?? "no agent is connected")")
    }

    private func ownCarrier(of node: String?, excluding tried: Set<UInt64>) -> (any NodeConnection)? {
        if let node { return newest(of: node, tried) }
        for _ in turns.indices {
            turn = (turn + 1) % turns.count
            if let able = newest(of: turns[turn], tried) { return able }
        }
        return nil
    }

    /// The newest of a node's connections, and one whose agent is about to go only when there is no other.
    private func newest(of node: String, _ tried: Set<UInt64>) -> (any NodeConnection)? {
        let able = byNode[node, default: []].filter { mayCarry($0, tried) }
        return able.last { !$0.candidate.isDraining } ?? able.last
    }

    private func chosen(by strategies: [ProxyStrategy], for host: String, _ tried: Set<UInt64>) -> (any NodeConnection)? {
        let able = byNode.values.joined().filter { mayCarry($0, tried) }.sorted { $0.id < $1.id }
        var generator = SystemRandomNumberGenerator()
        return ProxyStrategy.choose(strategies, host: host, among: able.map(\.candidate), using: &generator).map { able[$0] }
    }

    /// Asked at every dial, so that no dial slips in between a change of the record and its effect on the connections.
    private func mayCarry(_ connection: any NodeConnection, _ tried: Set<UInt64>) -> Bool {
        !connection.isClosing && !tried.contains(connection.id) && directory.admission(of: connection.identity) == .admitted
    }
}

/// An agent that is connected now.
public struct ConnectedAgent: Sendable, Hashable {
    public var node: String
    /// The state that the agent confirmed last, when it is the newest that it was sent.
    public var confirmed: NodeState?
    /// What the agent said was wrong with its newest state.
    public var failure: String?
}

/// The connected agents as those outside of the event loop see them.
final class AgentRoster: Sendable {
    private let agents = Mutex<[UInt64: ConnectedAgent]>([:])
    let changes: AsyncStream<Void>
    private let changed: AsyncStream<Void>.Continuation

    init() {
        (changes, changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func set(_ id: UInt64, _ agent: ConnectedAgent) {
        agents.withLock { $0[id] = agent }
        changed.yield()
    }

    func remove(_ id: UInt64) {
        agents.withLock { $0[id] = nil }
        changed.yield()
    }

    /// The directory was asked anew: who is missing may be others now.
    func noteDirectory() { changed.yield() }

    /// By node, oldest connection first.
    var all: [ConnectedAgent] {
        agents.withLock { $0.sorted { ($0.value.node, $0.key) < ($1.value.node, $1.key) }.map(\.value) }
    }
}
