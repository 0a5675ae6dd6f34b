import NIOCore
import Synchronization

/// The connected agents, by node.
final class AgentRegistry: Dialer {
    private struct State {
        /// Per node, oldest first: an agent that reconnects may be here before its old connection is known to be dead.
        var byNode: [String: [any NodeConnection]] = [:]
        /// Turns among the nodes for what no node owns.
        var turn = 0
    }

    private let state = Mutex(State())
    private let directory: any NodeDirectory

    init(directory: any NodeDirectory) { self.directory = directory }

    func add(_ connection: any NodeConnection) {
        state.withLock { $0.byNode[connection.identity.node, default: []].append(connection) }
    }

    func remove(_ connection: any NodeConnection) {
        state.withLock { state in
            let node = connection.identity.node
            state.byNode[node]?.removeAll { $0.id == connection.id }
            if state.byNode[node]?.isEmpty == true { state.byNode[node] = nil }
        }
    }

    var connections: [any NodeConnection] {
        state.withLock { state in state.byNode.keys.sorted().flatMap { state.byNode[$0, default: []] } }
    }

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
        }
    }

    func connection(to target: Endpoint) throws(DialFailure) -> any NodeConnection {
        switch directory.route(to: target.host) {
        case .refused(let reason):
            throw .forbidden("\(target): \(reason)")
        case .node(let node):
            let newest = state.withLock { $0.byNode[node]?.last { mayCarry($0) } }
            guard let newest else { throw .unavailable("\(target): the agent of node \(node) is not connected") }
            return newest
        case .anyNode:
            let any = state.withLock { state -> (any NodeConnection)? in
                let able = state.byNode.keys.sorted().compactMap { state.byNode[$0]?.last { mayCarry($0) } }
                guard !able.isEmpty else { return nil }
                state.turn = (state.turn + 1) % able.count
                return able[state.turn]
            }
            guard let any else { throw .unavailable("\(target): no agent is connected") }
            return any
        }
    }

    /// Asked at every dial, so that no dial slips in between a change of the record and its effect on the connections.
    private func mayCarry(_ connection: any NodeConnection) -> Bool {
        !connection.isClosing && directory.admission(of: connection.identity) == .admitted
    }

    func dial(_ target: Endpoint, on eventLoop: any EventLoop) -> PendingDial {
        do {
            return try connection(to: target).dial(target)
        } catch {
            return PendingDial(result: eventLoop.makeFailedFuture(error), abandon: {})
        }
    }
}
