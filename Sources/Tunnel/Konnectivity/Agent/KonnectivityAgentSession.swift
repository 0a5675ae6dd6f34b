import Logging
import NIOCore
import NIOHPACK

/// The agent's end of one `AgentService/Connect` call: dials what the server asks for. On its event loop only.
final class KonnectivityAgentSession {
    private let connector: TargetConnector
    private let counters: TunnelCounters
    private let logger: Logger
    private let status: KonnectivityLinkStatus
    private let eventLoop: any EventLoop
    private let onHeaders: (Result<(id: String, count: Int), any Error>) -> Void
    private let opening: HPACKHeaders
    private(set) lazy var channel = PacketChannel(opening: opening) { self.handle($0) }
    private lazy var streams = PacketStreams(
        carrier: channel,
        // A dial that waits behind the packets is not seen here.
        terms: { $0 > 1 ? .shared : .perhapsAlone },
        onStall: { [weak self] in self?.noteStall($0) }, onForget: { [weak self] _ in self?.count() })
    /// Dials under way; one that is no longer here was given up.
    private var dials: Set<Int64> = []
    private var lastConnectID: Int64 = 0

    /// `onHeaders` is told once who the server is, or why there is none.
    init(
        opening: HPACKHeaders, connector: TargetConnector, eventLoop: any EventLoop, counters: TunnelCounters, logger: Logger,
        status: KonnectivityLinkStatus, onHeaders: @escaping (Result<(id: String, count: Int), any Error>) -> Void
    ) {
        self.opening = opening
        self.connector = connector
        self.eventLoop = eventLoop
        self.counters = counters
        self.logger = logger
        self.status = status
        self.onHeaders = onHeaders
    }

    /// Asks for no new dials. Servers that have no other agent send them all the same, and they are served.
    func drain() {
        channel.send(.drain)
        channel.flush()
    }

    // MARK: The call

    private func handle(_ event: PacketChannel.Event) {
        switch event {
        case .headers(let headers): onHeaders(Self.server(headers))
        case .packet(let packet): received(packet)
        case .readCompleted: streams.readCompleted()
        case .writable: streams.carrierIsWritable()
        case .ended(let status):
            self.status.end("\(status.map { "the server ended the call: \($0)" } ?? "the server ended the call")")
            channel.close()
        case .closed(let error):
            if let error { status.end("\(error)") }
            onHeaders(.failure(ConnectionEnded(reason: status.endReason)))
            dials = []
            streams.carrierLost()
            count()
        }
    }

    private static func server(_ headers: HPACKHeaders) -> Result<(id: String, count: Int), any Error> {
        if let status = GRPCStatus(headers) { return .failure(ConnectionEnded(reason: "the server refused the call: \(status)")) }
        guard headers.first(name: ":status") == "200" else {
            return .failure(ConnectionEnded(reason: "the server answered with HTTP status \(headers.first(name: ":status") ?? "?")"))
        }
        guard let id = GRPCHeaders.single(KonnectivityProtocol.Metadata.serverID, in: headers),
            let count = GRPCHeaders.single(KonnectivityProtocol.Metadata.serverCount, in: headers).flatMap({ Int($0) })
        else { return .failure(ConnectionEnded(reason: "the server did not say who it is, and how many there are")) }
        return .success((id, count))
    }

    // MARK: Packets

    private func received(_ packet: KonnectivityPacket) {
        switch packet {
        case .dialRequest(let network, let address, let random): dial(network, address, random)
        case .data(let connectID, let bytes):
            guard connectID != 0, !streams.received(bytes, for: connectID) else { return }
            channel.send(.closeResponse(connectID: connectID, error: "unrecognized connectID"))
        case .closeRequest(let connectID):
            if let stream = streams[connectID] { return stream.closed(.orderly) }
            channel.send(.closeResponse(connectID: connectID, error: "Unknown connectID"))
        case .closeDial(let random):
            dials.remove(random)
        case .dialResponse, .closeResponse, .drain, .unknown:
            // Nothing that a server says.
            break
        }
    }

    private func dial(_ network: String, _ address: String, _ random: Int64) {
        guard network.hasPrefix("tcp") else { return refuse(random, .badRequest("only tcp is dialled, not \(network)")) }
        guard let target = Endpoint(address) else { return refuse(random, .badRequest("the target \"\(address)\" is not HOST:PORT")) }
        guard dials.count < KonnectivityProtocol.pendingDialLimit else {
            return refuse(random, .unavailable("the agent has \(dials.count) dials open"))
        }
        guard dials.insert(random).inserted else { return refuse(random, .badRequest("two dials of one number")) }
        count()
        let counters = counters
        let far = SocketEnd { counters.bytesFromNodes.add($0) }
        let bound = NIOLoopBound(far, eventLoop: eventLoop)
        let connected = connector.connect(target, on: eventLoop) { channel in
            channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
        }
        connected.assumeIsolated().whenComplete { result in
            let isWanted = self.dials.remove(random) != nil
            defer { self.count() }
            switch result {
            case .success(let channel):
                guard isWanted else { return channel.close(promise: nil) }
                self.relay(random, far)
            case .failure(let error):
                guard isWanted else { return }
                self.refuse(random, error as? DialFailure ?? .badGateway("\(error)"), target)
            }
        }
    }

    private func relay(_ random: Int64, _ far: SocketEnd) {
        lastConnectID += 1
        guard let stream = streams.open(lastConnectID, side: .dialed, countReceived: { [counters] in counters.bytesToNodes.add($0) })
        else { return far.partnerReset() }
        counters.dialsSucceeded.add(1)
        channel.send(.dialResponse(random: random, connectID: stream.connectID, error: ""))
        stream.link(to: far)
        far.link(to: stream)
    }

    private func refuse(_ random: Int64, _ failure: DialFailure, _ target: Endpoint? = nil) {
        counters.dialsFailed.add(1)
        if failure.status == 504 { counters.dialsTimedOut.add(1) }
        channel.send(.dialResponse(random: random, connectID: 0, error: KonnectivityError.text(failure, dialing: target)))
    }

    private func count() { status.setOpen(dials.count + streams.count) }

    private func noteStall(_ stream: PacketStream) {
        logger.warning(
            "ended a connection whose target took nothing while it held up all others",
            metadata: ["connection": "\(stream.connectID)", "queued": "\(stream.queuedBytes)"])
    }
}
