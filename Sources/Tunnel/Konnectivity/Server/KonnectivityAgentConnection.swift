import Logging
import NIOCore

/// The server's end of an agent that speaks upstream's protocol: one `AgentService/Connect` call, which carries all its connections.
///
/// Upstream knows no control messages: such an agent is told nothing.
final class KonnectivityAgentConnection: NodeConnection {
    let id: UInt64
    let identity: AgentIdentity
    /// What the agent says of itself. The registry looks at it only where there is no record of nodes.
    private(set) var candidate: ProxyCandidate
    let publication = ControlPublication()

    private let channel: PacketChannel
    private let counters: TunnelCounters
    let logger: Logger
    private lazy var streams = PacketStreams(
        carrier: channel,
        // A dial waits for an answer that may be behind the packets.
        terms: { [weak self] connections in connections > 1 || self?.dials.isEmpty == false ? .shared : .alone },
        onStall: { [weak self] in self?.noteStall($0) })
    private var dials: [Int64: KonnectivityDial] = [:]
    private var isEnded = false

    init(
        id: UInt64, identity: AgentIdentity, agentID: String, identifiers: AgentIdentifiers, channel: PacketChannel,
        counters: TunnelCounters, logger: Logger
    ) {
        self.id = id
        self.identity = identity
        candidate = ProxyCandidate(agentID: agentID, identifiers: identifiers, isDraining: false)
        self.channel = channel
        self.counters = counters
        self.logger = logger
    }

    var isClosing: Bool { isEnded || !channel.isOpen }

    // MARK: Dials

    func dial(_ target: Endpoint, answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void) -> any PendingDial {
        let dial = KonnectivityDial(random: .random(in: 1...Int64.max), target: target, connection: self, answer: answer)
        guard !isClosing, dials.count < KonnectivityProtocol.pendingDialLimit, dials[dial.random] == nil else {
            let failure = isClosing ? DialFailure.lost : .unavailable("the agent of node \(identity.node) has \(dials.count) dials open")
            // Not before the one who asked has the dial.
            _ = channel.schedule(in: .zero) { dial.answered(.failure(failure)) }
            return dial
        }
        dials[dial.random] = dial
        streams.reconsider()
        channel.send(.dialRequest(network: "tcp", address: target.description, random: dial.random))
        return dial
    }

    /// The one who asked no longer waits. Upstream's agents pay no heed to this, and their late answer is closed when it comes.
    func abandoned(_ dial: KonnectivityDial) {
        guard dials.removeValue(forKey: dial.random) != nil else { return }
        channel.send(.closeDial(random: dial.random))
    }

    // MARK: Packets

    func received(_ packet: KonnectivityPacket) {
        switch packet {
        case .data(let connectID, let bytes):
            guard connectID != 0, !streams.received(bytes, for: connectID) else { return }
            channel.send(.closeRequest(connectID: connectID))
        case .dialResponse(let random, let connectID, let error):
            dialed(random, connectID, error)
        case .closeResponse(let connectID, let error):
            streams[connectID]?.closed(error.isEmpty ? .orderly : .broken)
        case .closeDial(let random):
            dials.removeValue(forKey: random)?.answered(.failure(.badGateway("the node's agent gave the dial up")))
        case .drain:
            candidate.isDraining = true
            logger.info("the agent is about to leave: others are preferred")
        case .dialRequest, .closeRequest, .unknown:
            // Nothing that an agent says.
            break
        }
    }

    func readCompleted() { streams.readCompleted() }
    func becameWritable() { streams.carrierIsWritable() }

    private func dialed(_ random: Int64, _ connectID: Int64, _ error: String) {
        guard let dial = dials.removeValue(forKey: random) else {
            if connectID != 0 { channel.send(.closeRequest(connectID: connectID)) }
            return
        }
        guard error.isEmpty else { return dial.answered(.failure(KonnectivityError.failure(error))) }
        guard connectID != 0,
            let stream = streams.open(
                connectID, side: .dialer,
                countReceived: { [counters] in
                    counters.bytesFromNodes.add($0)
                })
        else {
            return dial.answered(.failure(.badGateway("the node's agent answered with the id of no new connection")))
        }
        dial.answered(.success(stream))
    }

    private func noteStall(_ stream: PacketStream) {
        logger.warning(
            "ended a connection whose reader took nothing while it held up the agent's others",
            metadata: ["connection": "\(stream.connectID)", "queued": "\(stream.queuedBytes)"])
    }

    // MARK: End

    /// The call is over: nothing more comes of what it carried.
    func ended() {
        guard !isEnded else { return }
        isEnded = true
        let open = dials.values
        dials = [:]
        for dial in open { dial.answered(.failure(.lost)) }
        streams.carrierLost()
    }

    func close(reason: String) {
        guard !isEnded else { return }
        logger.info("closing an agent's connection", metadata: ["reason": "\(reason)"])
        channel.finish(.unavailable(reason))
        ended()
    }

    // MARK: What upstream's agents are not told

    func publish(_ state: NodeState) {}
    func introduce(serverID: String, serverCount: Int) {}
    func leave(reason: String) {}
}

/// A DIAL_REQ that waits for its DIAL_RSP.
final class KonnectivityDial: PendingDial {
    let random: Int64
    private let target: Endpoint
    private weak var connection: KonnectivityAgentConnection?
    private var answer: ((Result<any RelayEnd, DialFailure>) -> Void)?

    init(
        random: Int64, target: Endpoint, connection: KonnectivityAgentConnection,
        answer: @escaping (Result<any RelayEnd, DialFailure>) -> Void
    ) {
        self.random = random
        self.target = target
        self.connection = connection
        self.answer = answer
    }

    func answered(_ result: Result<any RelayEnd, DialFailure>) {
        guard let answer else { return }
        self.answer = nil
        answer(result.mapError { $0.naming(target) })
    }

    func abandon() {
        guard answer != nil else { return }
        answer = nil
        connection?.abandoned(self)
    }
}
