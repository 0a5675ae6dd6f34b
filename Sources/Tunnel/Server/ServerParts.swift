import Logging
import NIOCore

/// What lives on the server's event loop: who listens, who is connected, and the links to peers.
final class ServerParts {
    let registry: AgentRegistry
    let front: FrontListener
    private let configuration: TunnelServerConfiguration
    private let eventLoop: any EventLoop
    private let admission: AgentAdmission
    private let agents: TLSListener
    private let peerLinks: PeerLinks
    private let peerListener: PeerListener
    private let peers: TLSListener?

    init(
        configuration: TunnelServerConfiguration, identifier: any AgentIdentifier, directory: any NodeDirectory, roster: AgentRoster,
        counters: TunnelCounters, eventLoop: any EventLoop, logger: Logger
    ) {
        self.configuration = configuration
        self.eventLoop = eventLoop
        var lastID: UInt64 = 0
        let nextID: () -> UInt64 = {
            lastID += 1
            return lastID
        }
        let dialer = TLSDialer(tls: configuration.tls, speaking: [PeerProtocol.applicationProtocol])
        peerLinks = PeerLinks { peer in
            PeerLink(
                to: peer, dialer: dialer, serverName: configuration.peers?.serverName ?? "", counters: counters, logger: logger,
                eventLoop: eventLoop, nextID: nextID)
        }
        let registry = AgentRegistry(
            directory: directory, roster: roster, peers: peerLinks, strategies: configuration.konnectivity.strategies)
        let admission = AgentAdmission(
            serverID: configuration.serverID, identifier: identifier, directory: directory, registry: registry, counters: counters,
            logger: logger, nextID: nextID)
        let peerListener = PeerListener(registry: registry, counters: counters, logger: logger, onPeer: { admission.introduceServers() })
        let konnectivity = AgentService(
            serverID: configuration.serverID, serving: configuration.konnectivity, admission: admission, counters: counters,
            logger: logger, nextID: nextID)
        agents = TLSListener(
            tls: configuration.tls, speaking: [NativeProtocol.applicationProtocol, KonnectivityProtocol.applicationProtocol],
            wantsCertificate: configuration.konnectivity.reviewer == nil, watermark: NativeProtocol.connectionWatermark, logger: logger
        ) { channel, certificate, chosen in
            switch (chosen, certificate) {
            case (KonnectivityProtocol.applicationProtocol, _):
                try konnectivity.serve(channel, identity: try certificate.map(admission.identity))
            case (NativeProtocol.applicationProtocol, let certificate?):
                try admission.admit(channel, certificate: certificate)
            case (NativeProtocol.applicationProtocol, nil): throw HandshakeFailure.noClientCertificate
            default: throw HandshakeFailure.otherProtocol(chosen)
            }
        }
        peers = configuration.peers.map { peers in
            TLSListener(
                tls: configuration.tls, speaking: [PeerProtocol.applicationProtocol], watermark: NativeProtocol.connectionWatermark,
                logger: logger
            ) { channel, certificate, chosen in
                guard chosen == PeerProtocol.applicationProtocol else { throw HandshakeFailure.otherProtocol(chosen) }
                guard let certificate else { throw HandshakeFailure.noClientCertificate }
                try peers.identifier.check(certificate: certificate)
                try peerListener.serve(channel)
            }
        }
        front = FrontListener(
            configuration.front, dialer: registry,
            limits: FrontLimits(counters: counters, memory: ProcessMemory(eventLoop: eventLoop), logger: logger),
            counters: counters, logger: logger)
        self.registry = registry
        self.admission = admission
        self.peerListener = peerListener
    }

    /// The channel that agents connect to, then the one of peers.
    func listen() -> EventLoopFuture<[any Channel]> {
        var bound = [agents.bind(host: configuration.agentHost, port: configuration.agentPort, on: eventLoop)]
        if let peers, let listening = configuration.peers {
            bound.append(peers.bind(host: listening.host, port: listening.port, on: eventLoop))
        }
        return EventLoopFuture.whenAllSucceed(bound, on: eventLoop)
    }

    func setPeers(_ peers: Set<Peer>) {
        peerLinks.update(peers)
        admission.serverCount = peers.count + 1
    }

    /// Tells agents and peers that this server will stop.
    func leave(reason: String) {
        for connection in registry.connections { connection.leave(reason: reason) }
        peerListener.leave(reason: reason)
    }

    func close(reason: String) {
        for connection in registry.connections { connection.close(reason: reason) }
        peerListener.close(reason: reason)
        peerLinks.stop()
    }
}
