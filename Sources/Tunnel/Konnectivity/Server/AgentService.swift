import Logging
import NIOCore
import NIOHPACK
import NIOHTTP2

/// Serves upstream's agents behind TLS: each `AgentService/Connect` call is a connection of the registry's.
final class AgentService {
    /// Agents make one call on a connection.
    private static let callLimit = 16

    private let serverID: String
    private let serving: KonnectivityServing
    private let admission: AgentAdmission
    private let counters: TunnelCounters
    private let logger: Logger
    private let nextID: () -> UInt64

    init(
        serverID: String, serving: KonnectivityServing, admission: AgentAdmission, counters: TunnelCounters, logger: Logger,
        nextID: @escaping () -> UInt64
    ) {
        self.serverID = serverID
        self.serving = serving
        self.admission = admission
        self.counters = counters
        self.logger = logger
        self.nextID = nextID
    }

    /// `identity` is the certificate's; nil only where a token is asked for instead.
    func serve(_ channel: any Channel, identity: AgentIdentity?) throws {
        var logger = logger
        logger[metadataKey: "peer"] = "\(channel.remoteAddress?.description ?? "?")"
        var calls = 0
        _ = try HTTP2Ends.install(
            on: channel, mode: .server, patience: .usual,
            onEvent: { [logger] event in
                if case .closed(let error?) = event { logger.debug("an agent's connection broke", metadata: ["error": "\(error)"]) }
            },
            inboundStream: { stream in
                calls += 1
                guard calls <= Self.callLimit else { throw ChannelError.operationUnsupported }
                let call = AgentCall(service: self, connection: channel, identity: identity, logger: logger)
                try stream.pipeline.syncOperations.addHandler(call.channel)
            })
    }

    /// What a call's headers say, and what its certificate or token proves, make a connection; nil when the call was refused.
    fileprivate func connect(
        _ call: AgentCall, agentID: String, identifiers: AgentIdentifiers, logger: Logger
    ) -> KonnectivityAgentConnection? {
        // A token proves that it is an agent, not which: its own word is all there is.
        let identity = call.identity ?? AgentIdentity(node: agentID, notBefore: 0, notAfter: .max)
        var logger = logger
        logger[metadataKey: "node"] = "\(identity.node)"
        logger[metadataKey: "agent"] = "\(OneLine.clean(agentID))"
        let connection = KonnectivityAgentConnection(
            id: nextID(), identity: identity, agentID: agentID, identifiers: identifiers, channel: call.channel, counters: counters,
            logger: logger)
        if let reason = admission.refusal(of: identity, logger) {
            call.channel.refuse(.permissionDenied(reason))
            return nil
        }
        // The agent waits for these, and would take a packet for them.
        call.channel.answer(
            GRPCHeaders.answer(metadata: [
                (KonnectivityProtocol.Metadata.serverID, serverID),
                (KonnectivityProtocol.Metadata.serverCount, "\(serving.serverCount ?? admission.serverCount)"),
            ]))
        admission.register(connection, on: call.connection, logger)
        return connection
    }

    fileprivate func review(_ headers: HPACKHeaders, on eventLoop: any EventLoop) -> EventLoopFuture<Void>? {
        guard let reviewer = serving.reviewer else { return nil }
        let scheme = "Bearer "
        guard let value = GRPCHeaders.single(KonnectivityProtocol.Metadata.authorization, in: headers), value.hasPrefix(scheme) else {
            return eventLoop.makeFailedFuture(AgentTokenRefused(reason: "there is no single bearer token in the call"))
        }
        return reviewer.review(String(value.dropFirst(scheme.count)), on: eventLoop)
    }

    fileprivate func ended(_ connection: KonnectivityAgentConnection, cause: String) {
        connection.ended()
        admission.remove(connection, cause: cause, connection.logger)
    }
}

/// One call of an agent's, from its headers on.
private final class AgentCall {
    let connection: any Channel
    let identity: AgentIdentity?
    private let service: AgentService
    private let logger: Logger
    private var agent: KonnectivityAgentConnection?
    private var isClosed = false
    // The handler knows this object until the stream is closed.
    private(set) lazy var channel = PacketChannel { self.handle($0) }

    init(service: AgentService, connection: any Channel, identity: AgentIdentity?, logger: Logger) {
        self.service = service
        self.connection = connection
        self.identity = identity
        self.logger = logger
    }

    private func handle(_ event: PacketChannel.Event) {
        switch event {
        case .headers(let headers): begin(headers)
        case .packet(let packet): agent?.received(packet)
        case .readCompleted: agent?.readCompleted()
        case .writable: agent?.becameWritable()
        case .ended:
            channel.finish(.ok)
            end(cause: "it ended its call")
        case .closed(let error):
            isClosed = true
            end(cause: error.map { "\($0)" } ?? "closed")
        }
    }

    private func end(cause: String) {
        guard let agent else { return }
        self.agent = nil
        service.ended(agent, cause: cause)
    }

    private func begin(_ headers: HPACKHeaders) {
        if let status = GRPCHeaders.refusal(of: headers, path: KonnectivityProtocol.agentPath) { return channel.refuse(status) }
        guard let agentID = GRPCHeaders.single(KonnectivityProtocol.Metadata.agentID, in: headers), agentID.utf8.count <= 1024 else {
            return refuse(.invalidArgument("there is no single agent id in the call"))
        }
        let texts = headers[KonnectivityProtocol.Metadata.agentIdentifiers]
        guard texts.count <= 1, let identifiers = try? AgentIdentifiers(query: texts.first ?? "") else {
            return refuse(.invalidArgument("the agent's identifiers cannot be read"))
        }
        guard let review = service.review(headers, on: connection.eventLoop) else {
            agent = service.connect(self, agentID: agentID, identifiers: identifiers, logger: logger)
            return
        }
        channel.hold()
        review.assumeIsolated().whenComplete { result in
            guard !self.isClosed else { return }
            switch result {
            case .success:
                self.agent = self.service.connect(self, agentID: agentID, identifiers: identifiers, logger: self.logger)
                self.channel.release()
            case .failure(let error): self.refuse(.unauthenticated("\(error)"))
            }
        }
    }

    private func refuse(_ status: GRPCStatus) {
        logger.warning("refused an agent", metadata: ["reason": "\(status.message)"])
        channel.refuse(status)
    }
}
