import Logging
import NIOCore

/// Takes the connections of peers: their dials go to this server's own agents, and they hear which those are.
final class PeerListener {
    private let registry: AgentRegistry
    private let counters: TunnelCounters
    private let logger: Logger
    private let onPeer: () -> Void
    private var carriers: [ObjectIdentifier: Carrier] = [:]

    /// `onPeer` is called when a peer has connected.
    init(registry: AgentRegistry, counters: TunnelCounters, logger: Logger, onPeer: @escaping () -> Void) {
        self.registry = registry
        self.counters = counters
        self.logger = logger
        self.onPeer = onPeer
        registry.onChange = { [weak self] node, isHeld in self?.announce(isHeld ? .holds(node: node) : .drops(node: node)) }
    }

    /// Serves a peer whose certificate was proved.
    func serve(_ channel: any Channel) throws {
        var own: Carrier?
        let carrier = Carrier(counters: counters) { event in
            guard let carrier = own else { return }
            switch event {
            case .asked(let stream, let target): self.dial(stream, to: target)
            case .control, .leaving: break
            case .closed:
                own = nil
                self.carriers[ObjectIdentifier(carrier)] = nil
            }
        }
        own = carrier
        try channel.pipeline.syncOperations.addHandler(carrier)
        carriers[ObjectIdentifier(carrier)] = carrier
        for node in registry.nodes { carrier.sendControl(.holds(node: node)) }
        logger.info("a peer is connected", metadata: ["peer": "\(channel.remoteAddress?.description ?? "?")"])
        onPeer()
    }

    /// Tells the peers that this server will stop: what they ask of it from now on may outlast it.
    func leave(reason: String) {
        for carrier in carriers.values { carrier.write(.leaving(reason: reason)) }
    }

    func close(reason: String) {
        for carrier in carriers.values { carrier.close(reason: reason) }
    }

    private func announce(_ message: ControlMessage) {
        for carrier in carriers.values { carrier.sendControl(message) }
    }

    private func dial(_ stream: CarrierStream, to text: String) {
        guard let target = Endpoint(text) else { return stream.refuse(.badRequest("the target is not HOST:PORT")) }
        do {
            let pending = try registry.dialOwnAgents(target) { result in
                switch result {
                case .success(let far):
                    guard !stream.isEnded else { return far.partnerReset() }
                    stream.accept(countReceived: nil)
                    stream.link(to: far)
                    far.link(to: stream)
                case .failure(let failure): stream.refuse(failure)
                }
            }
            stream.onAbandoned { pending.abandon() }
        } catch {
            // Its agent left a moment ago, which the peer is about to hear: it asks elsewhere.
            if error.status == 503 { stream.partnerReset() } else { stream.refuse(error) }
        }
    }
}
