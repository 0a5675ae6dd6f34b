import NIOCore
import NIOPosix
import TestKubernetes
import TestTunnel
import Testing

@testable import Tunnel
@testable import TunnelService

extension TunnelFixture {
    /// A server whose certificate is for localhost. It runs alone when `serving` has strategies, and by the fixture's record if not.
    func makeServer(
        front: FrontProtocol, serving: KonnectivityServing = KonnectivityServing(), socket: String? = nil, serverID: String = "s1"
    ) throws -> TunnelServer {
        var configuration = TunnelServerConfiguration(
            front: FrontListening(.unix(path: socket ?? self.socket), speaking: front), agentHost: "127.0.0.1", agentPort: 0,
            tls: try pki.server(name: "localhost"), serverID: serverID, drainTime: .seconds(1))
        configuration.konnectivity = serving
        let isAlone = serving.strategies != nil
        return TunnelServer(
            configuration: configuration, identifier: isAlone ? AnyCertificateIdentifier() : NodeCertificateIdentifier(),
            directory: isAlone ? OpenDirectory() : record, logger: Self.logger("server"))
    }

    func makeKonnectivityAgent(
        files: TLSFiles, port: Int, id: String = "a1", identifiers: String = "", tokenPath: String? = nil, syncForever: Bool = false
    ) throws -> KonnectivityAgent {
        KonnectivityAgent(
            configuration: KonnectivityAgentConfiguration(
                server: try #require(Endpoint(host: "localhost", port: port)), tls: files, agentID: id, identifiers: identifiers,
                tokenPath: tokenPath, syncInterval: .milliseconds(50), syncIntervalCap: .milliseconds(500), syncForever: syncForever,
                policy: DialPolicy(allowed: [AddressBlock("127.0.0.0/8")].compactMap { $0 }), drainTime: .seconds(1)),
            logger: Self.logger("agent"))
    }

    /// Runs a server that goes by a record in which n1 owns loopback.
    static func withServer<Result: Sendable>(
        front: FrontProtocol = .httpConnect, serving: KonnectivityServing = KonnectivityServing(),
        _ body: @Sendable (TunnelFixture, TunnelServer, _ port: Int) async throws -> Result
    ) async throws -> Result {
        try await with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let server = try fixture.makeServer(front: front, serving: serving)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await server.run() }
                defer { group.cancelAll() }
                return try await body(fixture, server, try await server.agentPort())
            }
        }
    }

    /// The same with an agent of n1 that speaks upstream's protocol.
    static func withKonnectivity<Result: Sendable>(
        front: FrontProtocol = .httpConnect, _ body: @Sendable (TunnelFixture, TunnelServer) async throws -> Result
    ) async throws -> Result {
        try await withServer(front: front) { fixture, server, port in
            let agent = try fixture.makeKonnectivityAgent(files: try fixture.pki.node("n1"), port: port)
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await agent.run() }
                defer { group.cancelAll() }
                try await eventually("the agent is connected") { server.agents.map(\.node) == ["n1"] }
                return try await body(fixture, server)
            }
        }
    }

    /// A server with an agent that a test plays.
    static func withScriptedAgent<Result: Sendable>(
        metadata: [(String, String)] = [("agentid", "a1")], serving: KonnectivityServing = KonnectivityServing(),
        _ body: @Sendable (TunnelFixture, TunnelServer, ScriptedCall) async throws -> Result
    ) async throws -> Result {
        try await withServer(serving: serving) { fixture, server, port in
            try await ScriptedCall.agent(port: port, files: try fixture.pki.node("n1"), metadata: metadata) { call in
                try await body(fixture, server, call)
            }
        }
    }
}
