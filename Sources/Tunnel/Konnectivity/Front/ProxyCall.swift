import Logging
import NIOCore
import NIOHPACK

/// One call of kube-apiserver's: a DIAL_REQ, its answer, and the connection.
///
/// Clients up to 1.20 leave things behind when a call breaks: so a failure is told in DIAL_RSP, a CLOSE_RSP stands before every
/// end, and the call itself ends well.
final class ProxyCall {
    /// How long what the target says first is held back: the client knows its connection only a moment after DIAL_RSP, and closes it
    /// when DATA is there sooner. Most clients speak first.
    private static let firstWord = TimeAmount.milliseconds(5)

    private enum Phase {
        case waiting
        case dialing(random: Int64, FrontDial)
        case open
        case over
    }

    private(set) lazy var channel = PacketChannel { self.handle($0) }
    private lazy var streams = PacketStreams(
        carrier: channel,
        // HTTP/2's window is for this call alone.
        terms: { _ in .alone },
        onForget: { [weak self] _ in self?.finish() })
    private let dialer: any Dialer
    private let limits: FrontLimits
    private let counters: TunnelCounters
    private let logger: Logger
    private var phase = Phase.waiting
    private var deadline: Scheduled<Void>?
    private var linkFar: (() -> Void)?

    init(dialer: any Dialer, limits: FrontLimits, counters: TunnelCounters, logger: Logger) {
        self.dialer = dialer
        self.limits = limits
        self.counters = counters
        self.logger = logger
    }

    private func handle(_ event: PacketChannel.Event) {
        switch event {
        case .headers(let headers): begin(headers)
        case .packet(let packet): received(packet)
        case .readCompleted: streams.readCompleted()
        case .writable: streams.carrierIsWritable()
        case .ended: clientEnded()
        case .closed: closed()
        }
    }

    private func begin(_ headers: HPACKHeaders) {
        // Its authority is the path of the socket, in some spelling or other.
        if let status = GRPCHeaders.refusal(of: headers, path: KonnectivityProtocol.frontPath) {
            phase = .over
            counters.frontsRefused.add(1)
            return channel.refuse(status)
        }
        channel.answer(GRPCHeaders.answer())
        deadline = channel.schedule(in: FrontHandler.headerTime) {
            self.counters.frontsRefused.add(1)
            self.finish()
        }
    }

    private func received(_ packet: KonnectivityPacket) {
        switch packet {
        case .dialRequest(let network, let address, let random): dial(network, address, random)
        case .data(let connectID, let bytes):
            passFirstWord()
            guard connectID != 0, !streams.received(bytes, for: connectID) else { return }
            channel.send(.closeResponse(connectID: connectID, error: "there is no connection of that id"))
        case .closeRequest(let connectID):
            passFirstWord()
            if let stream = streams[connectID] { return stream.closed(.orderly) }
            channel.send(.closeResponse(connectID: connectID, error: "there is no connection of that id"))
            if case .dialing = phase { abandon() }
            finish()
        case .closeDial(let random):
            guard case .dialing(random: random, _) = phase else { return }
            abandon()
            finish()
        case .dialResponse, .closeResponse, .drain, .unknown:
            // Nothing that a client says.
            break
        }
    }

    // MARK: The dial

    private func dial(_ network: String, _ address: String, _ random: Int64) {
        guard case .waiting = phase else { return answer(random, .badRequest("a call is for one connection")) }
        deadline?.cancel()
        guard network == "tcp" else { return refuse(random, .badRequest("only tcp is dialled, not \(network)")) }
        guard let target = Endpoint(address) else { return refuse(random, .badRequest("the target \"\(address)\" is not HOST:PORT")) }
        let dial = FrontDial(limits: limits, counters: counters) { result in
            switch result {
            case .success(let far): self.relay(random, far)
            case .failure(let failure): self.fail(random, failure)
            }
        }
        do {
            try dial.start(target, through: dialer, schedule: channel.schedule(in:_:))
            phase = .dialing(random: random, dial)
        } catch {
            fail(random, error)
        }
    }

    private func relay(_ random: Int64, _ far: any RelayEnd) {
        // A call has one connection, so the id is always the same.
        guard let stream = streams.open(1, side: .dialed, countReceived: { [counters] in counters.bytesToNodes.add($0) }) else {
            return far.partnerReset()
        }
        phase = .open
        limits.opened()
        channel.send(.dialResponse(random: random, connectID: stream.connectID, error: ""))
        stream.link(to: far)
        linkFar = { far.link(to: stream) }
        deadline = channel.schedule(in: Self.firstWord) { self.passFirstWord() }
    }

    /// Lets the target's bytes come.
    private func passFirstWord() {
        guard let link = linkFar else { return }
        linkFar = nil
        deadline?.cancel()
        link()
    }

    private func refuse(_ random: Int64, _ failure: DialFailure) {
        counters.frontsRefused.add(1)
        fail(random, failure)
    }

    private func fail(_ random: Int64, _ failure: DialFailure) {
        logger.debug("refused a connection", metadata: ["status": "\(failure.status)", "reason": "\(failure.reason)"])
        answer(random, failure)
        finish()
    }

    private func answer(_ random: Int64, _ failure: DialFailure) {
        channel.send(.dialResponse(random: random, connectID: 0, error: KonnectivityError.text(failure)))
    }

    private func abandon() {
        guard case .dialing(_, let dial) = phase else { return }
        phase = .over
        dial.abandon()
    }

    // MARK: The end

    /// The connection, or the attempt at one, is over.
    private func finish() {
        deadline?.cancel()
        if case .open = phase { limits.closed() }
        phase = .over
        channel.finish(.ok)
    }

    /// Without a CLOSE_REQ, which is as good.
    private func clientEnded() {
        switch phase {
        case .open:
            passFirstWord()
            streams[1]?.closed(.orderly)
        case .dialing:
            abandon()
            finish()
        case .waiting: finish()
        case .over: break
        }
    }

    private func closed() {
        deadline?.cancel()
        abandon()
        // The far end must learn that this one is gone, and does so through the link.
        passFirstWord()
        streams.carrierLost()
        if case .open = phase { limits.closed() }
        phase = .over
    }
}
