import TestKubernetes
import TestTunnel
import Testing

@testable import Tunnel
@testable import TunnelService

@Suite("An agent that runs alone", .timeLimit(.minutes(10)))
struct StandaloneAgentTests {
    private func agent(_ fixture: TunnelFixture, port: Int, name: String) throws -> StandaloneAgent {
        StandaloneAgent(
            configuration: KonnectivityAgentConfiguration(
                server: try #require(Endpoint(host: name, port: port)), tls: try fixture.pki.node("n1"), agentID: "a1",
                syncInterval: .milliseconds(50), syncIntervalCap: .milliseconds(500),
                policy: DialPolicy(allowed: [AddressBlock("127.0.0.0/8")].compactMap { $0 }), drainTime: .seconds(1)),
            logger: TunnelFixture.logger("agent"))
    }

    @Test("Speaks natively with a server of ours, which knows two with one certificate apart")
    func natively() async throws {
        try await TunnelFixture.with { fixture in
            let server = try fixture.makeServer(front: .httpConnect, serving: KonnectivityServing(strategies: [.default]))
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let port = try await server.agentPort()
                let agents = try (0..<2).map { _ in try agent(fixture, port: port, name: "localhost") }
                for agent in agents { group.addTask { try await agent.run() } }
                try await eventually("both are connected") { server.agents.count == 2 }
                try await TestTarget.with(serve: TestTarget.echo) { target in
                    // Each is as likely as the other: forty that all go one way are none in a life.
                    for _ in 0..<40 {
                        try await TestConnection.open(fixture.socket) { connection in
                            let line = try await connection.connect(to: target.address)
                            #expect(line == "HTTP/1.1 200 Connection Established")
                        }
                    }
                }
                #expect(agents.allSatisfy { $0.connectedServers == 1 && $0.counters.dialsSucceeded.current > 0 })
            }
        }
    }

    @Test("Speaks upstream's protocol with a server that knows no other", arguments: ["localhost", "127.0.0.1"])
    func upstreams(host: String) async throws {
        try await TunnelFixture.with { fixture in
            try await ScriptedServer.with(files: try fixture.pki.server(name: "localhost", address: "127.0.0.1")) { server in
                let agent = try agent(fixture, port: server.port, name: host)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { try await agent.run() }
                    var calls = server.calls.makeAsyncIterator()
                    let call = try #require(await calls.next())
                    guard case .headers(let headers) = await call.next() else {
                        Issue.record("the call began without headers")
                        return
                    }
                    #expect(headers["agentid"] == "a1")
                }
            }
        }
    }
}
