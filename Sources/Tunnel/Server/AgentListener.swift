import Glibc
import Logging
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// Takes agents' connections: TLS, identity, admission, and into the registry.
final class AgentListener: Sendable {
    private let context: ReloadingContext
    private let identifier: any AgentIdentifier
    private let directory: any NodeDirectory
    private let registry: AgentRegistry
    private let counters: TunnelCounters
    private let logger: Logger
    private let nextID = Atomic<UInt64>(1)

    init(
        tls: TLSFiles, identifier: any AgentIdentifier, directory: any NodeDirectory, registry: AgentRegistry,
        counters: TunnelCounters, logger: Logger
    ) {
        context = ReloadingContext(tls) { try $0.serverContext() }
        self.identifier = identifier
        self.directory = directory
        self.registry = registry
        self.counters = counters
        self.logger = logger
    }

    /// Fails at once when the files do not make a TLS identity.
    func checkFiles() async throws {
        let context = context
        _ = try await NIOThreadPool.singleton.runIfActive { try context.current() }
    }

    func bind(host: String, port: Int, group: any EventLoopGroup) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: NativeProtocol.connectionWatermark)
            .childChannelInitializer { channel in self.initialize(channel) }
            .bind(host: host, port: port).get()
    }

    private func initialize(_ channel: any Channel) -> EventLoopFuture<Void> {
        let context = context
        return NIOThreadPool.singleton.runIfActive(eventLoop: channel.eventLoop) { try context.current() }.flatMapThrowing { tls in
            let logger = self.logger
            let gate = HandshakeGate(
                onReady: { try self.admit($0) },
                onFailure: { error in
                    logger.info(
                        "an agent's handshake failed",
                        metadata: ["peer": "\(channel.remoteAddress?.description ?? "?")", "error": "\(error)"])
                })
            try channel.pipeline.syncOperations.addHandlers([NIOSSLServerHandler(context: tls), gate])
        }.flatMapErrorThrowing { error in
            self.logger.error("an agent cannot be served", metadata: ["error": "\(error)"])
            throw error
        }
    }

    private func admit(_ channel: any Channel) throws {
        guard let certificate = try channel.pipeline.syncOperations.nioSSL_peerCertificate() else {
            throw HandshakeFailure.otherProtocol("TLS without a client certificate")
        }
        let identity = try identifier.identity(certificate: certificate.toDERBytes())
        var logger = logger
        logger[metadataKey: "node"] = "\(identity.node)"
        logger[metadataKey: "peer"] = "\(channel.remoteAddress?.description ?? "?")"
        let registered = Mutex<NativeConnection?>(nil)
        let registry = registry
        let counters = counters
        let endLogger = logger
        let multiplexer = try NativeSession.install(
            on: channel, mode: .client,
            onEnd: { event in
                let connection = registered.withLock { $0 }
                switch event {
                case .leaving(let words):
                    connection?.agentIsLeaving()
                    endLogger.debug("the agent takes no new connections", metadata: ["reason": "\(words)"])
                case .closed(let error):
                    guard let connection else { return }
                    registered.withLock { $0 = nil }
                    registry.remove(connection)
                    counters.agentsConnected.add(-1)
                    endLogger.info("an agent is gone", metadata: ["cause": "\(error.map { "\($0)" } ?? "closed")"])
                }
            },
            inboundStream: { stream in
                // Agents open no streams.
                stream.close()
            })
        if case .refused(let reason) = directory.admission(of: identity) {
            counters.agentsRefused.add(1)
            logger.warning("refused an agent", metadata: ["reason": "\(reason)"])
            NativeConnection.sayGoodbye(on: channel, reason: reason)
            return
        }
        let connection = NativeConnection(
            id: nextID.wrappingAdd(1, ordering: .relaxed).newValue, identity: identity, channel: channel, multiplexer: multiplexer,
            counters: counters, logger: logger)
        registered.withLock { $0 = connection }
        counters.agentsAccepted.add(1)
        counters.agentsConnected.add(1)
        registry.add(connection)
        connection.openControl()
        if let state = directory.state(for: identity.node) { connection.publish(state) }
        endWithCertificate(connection, on: channel)
        logger.info("an agent is connected")
    }

    /// What a certificate proved ends with it.
    private func endWithCertificate(_ connection: NativeConnection, on channel: any Channel) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let seconds = connection.identity.notAfter - Int64(now.tv_sec)
        let end = channel.eventLoop.scheduleTask(in: .seconds(min(max(seconds, 0), 10 * 365 * 86_400))) {
            connection.close(reason: "the certificate has expired")
        }
        channel.closeFuture.whenComplete { _ in end.cancel() }
    }
}
