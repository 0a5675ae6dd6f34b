import Glibc
import Logging
import NIOCore

/// Lets agents in whose TLS handshake is over: identity, admission, and into the registry. On the tunnel's event loop.
final class AgentAdmission {
    private let serverID: String
    private let identifier: any AgentIdentifier
    private let directory: any NodeDirectory
    private let registry: AgentRegistry
    private let counters: TunnelCounters
    private let logger: Logger
    private let nextID: () -> UInt64
    /// How many servers the control plane has.
    var serverCount = 1 {
        didSet {
            if serverCount != oldValue { introduceServers() }
        }
    }

    init(
        serverID: String, identifier: any AgentIdentifier, directory: any NodeDirectory, registry: AgentRegistry,
        counters: TunnelCounters, logger: Logger, nextID: @escaping () -> UInt64
    ) {
        self.serverID = serverID
        self.identifier = identifier
        self.directory = directory
        self.registry = registry
        self.counters = counters
        self.logger = logger
        self.nextID = nextID
    }

    /// One that speaks the native protocol.
    func admit(_ channel: any Channel, certificate: [UInt8]) throws {
        let identity = try self.identity(certificate)
        var logger = logger
        logger[metadataKey: "node"] = "\(identity.node)"
        logger[metadataKey: "peer"] = "\(channel.remoteAddress?.description ?? "?")"
        if let reason = refusal(of: identity, logger) {
            let carrier = Carrier(counters: counters) { _ in }
            try channel.pipeline.syncOperations.addHandler(carrier)
            carrier.close(reason: reason)
            return
        }
        register(try connect(channel, identity, logger), on: channel, logger)
    }

    func identity(_ certificate: [UInt8]) throws -> AgentIdentity { try identifier.identity(certificate: certificate) }

    /// Tells the agents how many servers there are: also when one of them came back, which lets them look for it at once.
    func introduceServers() {
        for connection in registry.connections { connection.introduce(serverID: serverID, serverCount: serverCount) }
    }

    /// Why the agent may not connect, if it may not.
    func refusal(of identity: AgentIdentity, _ logger: Logger) -> String? {
        guard case .refused(let reason) = directory.admission(of: identity) else { return nil }
        counters.agentsRefused.add(1)
        logger.warning("refused an agent", metadata: ["reason": "\(reason)"])
        return reason
    }

    func register(_ connection: any NodeConnection, on channel: any Channel, _ logger: Logger) {
        counters.agentsAccepted.add(1)
        counters.agentsConnected.add(1)
        registry.add(connection)
        connection.introduce(serverID: serverID, serverCount: serverCount)
        if let state = directory.state(for: connection.identity.node) { connection.publish(state) }
        endWithCertificate(connection, on: channel)
        logger.info("an agent is connected")
    }

    private func connect(_ channel: any Channel, _ identity: AgentIdentity, _ logger: Logger) throws -> NativeConnection {
        var connection: NativeConnection?
        let carrier = Carrier(counters: counters) { event in
            guard let connection else { return }
            switch event {
            case .asked(let stream, _):
                stream.refuse(.forbidden("agents ask for nothing here"))
            case .control(let message):
                connection.received(message)
            case .leaving(let words):
                connection.agentIsLeaving()
                self.registry.report(connection)
                logger.debug("the agent takes no new connections", metadata: ["reason": "\(words)"])
            case .closed(let error):
                self.remove(connection, cause: error.map { "\($0)" } ?? "closed", logger)
            }
        }
        let made = NativeConnection(
            id: nextID(), identity: identity, carrier: carrier, counters: counters, logger: logger,
            onConfirmation: { [registry] in registry.report($0) })
        connection = made
        try channel.pipeline.syncOperations.addHandler(carrier)
        return made
    }

    /// The connection is over.
    func remove(_ connection: any NodeConnection, cause: String, _ logger: Logger) {
        registry.remove(connection)
        counters.agentsConnected.add(-1)
        logger.info("an agent is gone", metadata: ["cause": "\(cause)"])
    }

    /// What a certificate proved ends with it.
    private func endWithCertificate(_ connection: any NodeConnection, on channel: any Channel) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let seconds = min(max(connection.identity.notAfter - Int64(now.tv_sec), 0), 10 * 365 * 86_400)
        let end = channel.eventLoop.assumeIsolated().scheduleTask(in: .seconds(seconds)) {
            connection.close(reason: "the certificate has expired")
        }
        channel.closeFuture.whenComplete { _ in end.cancel() }
    }
}
