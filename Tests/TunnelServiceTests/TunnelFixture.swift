import Foundation
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestKubernetes
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

/// A tunnel server with a record of its own, and agents that connect to it.
struct TunnelFixture: Sendable {
    let directory: String
    let pki: TestPKI
    let record = RecordDirectory()
    var socket: String { directory + "/t.sock" }

    /// Makes a directory and takes it away again.
    static func with<Result: Sendable>(_ body: @Sendable (TunnelFixture) async throws -> Result) async throws -> Result {
        let directory = "/tmp/nbt-\(UInt32.random(in: 0 ... .max))"
        try SmallFile.makeDirectory(directory)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let fixture = TunnelFixture(directory: directory, pki: try TestPKI(directory: directory))
        return try await fixture.body(body)
    }

    private func body<Result: Sendable>(_ body: @Sendable (TunnelFixture) async throws -> Result) async throws -> Result {
        try await body(self)
    }

    func setRecord(_ nodes: NodeRecord..., endpoints: PublishedEndpoints? = nil) {
        _ = record.update(ClusterRecord(nodes: nodes, endpoints: endpoints))
    }

    static func logger(_ label: String) -> Logger {
        var logger = Logger(label: label)
        logger.logLevel = ProcessInfo.processInfo.environment["NESTBOX_TEST_LOG"] == nil ? .critical : .debug
        return logger
    }

    func makeServer(port: Int = 0, front: FrontListening? = nil) throws -> TunnelServer {
        TunnelServer(
            configuration: TunnelServerConfiguration(
                front: front ?? FrontListening(.unix(path: socket)), agentHost: "127.0.0.1", agentPort: port, tls: try pki.server(),
                drainTime: .seconds(1)),
            identifier: NodeCertificateIdentifier(), directory: record, logger: Self.logger("server"))
    }

    func makeAgent(files: TLSFiles, port: Int, follower: (any NodeStateFollower)? = nil) -> TunnelAgent {
        TunnelAgent(
            configuration: TunnelAgentConfiguration(
                serverName: "nestbox-tunnel", tls: files,
                policy: DialPolicy(allowed: [AddressBlock("127.0.0.0/8")].compactMap { $0 }), appearanceCheck: .milliseconds(50),
                rotationCheck: .milliseconds(50)),
            follower: follower ?? FixedFollower(port: port), logger: Self.logger("agent"))
    }

    /// Runs an agent of the server's beside `body`, and waits until it is connected, and afterwards until it is gone.
    func withAgent(
        _ files: TLSFiles, _ port: Int, of server: TunnelServer, _ body: @Sendable (TunnelAgent) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            let agent = makeAgent(files: files, port: port)
            group.addTask { try await agent.run() }
            try await eventually("the agent is connected") { !server.agents.isEmpty }
            try await body(agent)
        }
        try await eventually("the agent is gone") { server.agents.isEmpty }
    }

    /// Runs a server and the agents that `agents` makes for its port, waits until all are connected, and runs `body`.
    func run<Result: Sendable>(
        agents makeAgents: @Sendable (Int) throws -> [TunnelAgent] = { _ in [] },
        _ body: @Sendable (TunnelServer, [TunnelAgent]) async throws -> Result
    ) async throws -> Result {
        let server = try makeServer()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            let agents = try makeAgents(try await server.agentPort())
            for agent in agents { group.addTask { try await agent.run() } }
            defer { group.cancelAll() }
            try await eventually("all agents are connected") { server.agents.count == agents.count }
            return try await body(server, agents)
        }
    }
}

/// A follower that knows one server and remembers what it was told.
final class FixedFollower: NodeStateFollower {
    struct Refused: Error, CustomStringConvertible {
        var description: String
    }

    private let endpoints: [Endpoint]
    private let seen = Mutex<[NodeState]>([])
    private let refusal: String?

    init(ports: [Int], refusal: String? = nil) {
        endpoints = ports.compactMap { Endpoint(host: "127.0.0.1", port: $0) }
        self.refusal = refusal
    }

    convenience init(port: Int, refusal: String? = nil) { self.init(ports: [port], refusal: refusal) }

    var states: [NodeState] { seen.withLock { $0 } }
    func tunnelEndpoints() -> [Endpoint] { endpoints }
    func follow(_ state: NodeState) async throws {
        seen.withLock { $0.append(state) }
        if let refusal { throw Refused(description: refusal) }
    }
}

func ip(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
func block(_ text: String) throws -> AddressBlock { try #require(AddressBlock(text)) }
