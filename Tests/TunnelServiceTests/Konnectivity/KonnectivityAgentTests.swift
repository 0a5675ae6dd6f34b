import Crypto
import NIOCore
import Synchronization
import TestKubernetes
import TestTunnel
import Testing

@testable import Tunnel

@Suite("Our agent with a server in upstream's protocol that a test plays", .timeLimit(.minutes(10)))
struct KonnectivityAgentTests {
    /// An agent that is connected to a server of the test's.
    private func withAgent(
        _ body: @Sendable (ScriptedCall, KonnectivityAgent) async throws -> Void
    ) async throws {
        try await TunnelFixture.with { fixture in
            try await ScriptedServer.with(files: try fixture.pki.server(name: "localhost")) { server in
                let agent = try fixture.makeKonnectivityAgent(
                    files: try fixture.pki.node("n1"), port: server.port, identifiers: "host=n1")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { try await agent.run() }
                    var calls = server.calls.makeAsyncIterator()
                    let call = try #require(await calls.next())
                    guard case .headers(let headers) = await call.next() else { throw ScriptedCall.Unexpected() }
                    #expect(headers[":path"] == "/AgentService/Connect")
                    #expect(headers["agentid"] == "a1")
                    #expect(headers["agentidentifiers"] == "host=n1")
                    #expect(agent.connectedServers == 0)
                    call.answer([("serverid", "s1"), ("servercount", "1")])
                    try await eventually("the agent knows its server") { agent.connectedServers == 1 }
                    try await body(call, agent)
                }
            }
        }
    }

    private func dial(
        _ target: TestTarget, _ call: ScriptedCall
    ) async throws -> Int64 {
        call.send(.dialRequest(network: "tcp", address: target.address, random: 7))
        guard case .dialResponse(7, let id, "") = try await call.packet(), id != 0 else { throw ScriptedCall.Unexpected() }
        return id
    }

    @Test("No byte in front of a CLOSE_REQ is lost, and it is answered")
    func bytesThenClose() async throws {
        try await withAgent { call, _ in
            let data = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
            let digests = Mutex<[[UInt8]]>([])
            try await TestTarget.with(serve: { connection in
                let received = try await connection.readToEnd()
                digests.withLock { $0.append(Array(SHA256.hash(data: received))) }
            }) { target in
                let id = try await self.dial(target, call)
                for start in stride(from: 0, to: data.count, by: 30_000) {
                    call.send(.data(connectID: id, ByteBuffer(bytes: data[start..<start + 30_000])))
                }
                call.send(.closeRequest(connectID: id))
                try await call.expect(.closeResponse(connectID: id, error: ""))
                try await eventually("the target has it all") { digests.withLock { $0.count == 1 } }
                #expect(digests.withLock { $0 } == [Array(SHA256.hash(data: data))])
            }
        }
    }

    @Test("A target's end is a CLOSE_RSP behind all its bytes")
    func targetCloses() async throws {
        try await withAgent { call, agent in
            let data = [UInt8](repeating: 5, count: 1_000_000)
            try await TestTarget.with(serve: { connection in try await connection.flush(data) }) { target in
                let id = try await self.dial(target, call)
                var received: [UInt8] = []
                while case .data(id, let bytes) = try await call.packet() { received += bytes.readableBytesView }
                #expect(received == data)
                call.send(.closeRequest(connectID: id))
                try await call.expect(.closeResponse(connectID: id, error: "Unknown connectID"))
                try await eventually("nothing is open") { agent.openConnections == 0 }
            }
        }
    }

    @Test("Bytes for no connection are answered with CLOSE_RSP, and what is no dial with its reason")
    func unknown() async throws {
        try await withAgent { call, _ in
            call.send(.data(connectID: 44, ByteBuffer(string: "x")))
            try await call.expect(.closeResponse(connectID: 44, error: "unrecognized connectID"))
            for (network, address) in [("udp", "127.0.0.1:1"), ("tcp", "nowhere"), ("tcp", "169.254.169.254:80"), ("tcp", "127.0.0.1:1")] {
                call.send(.dialRequest(network: network, address: address, random: 3))
                guard case .dialResponse(3, 0, let error) = try await call.packet() else {
                    Issue.record("no DIAL_RSP")
                    return
                }
                #expect(!error.isEmpty)
            }
        }
    }

    @Test("A dial that was given up is not answered with a connection")
    func closeDial() async throws {
        try await withAgent { call, agent in
            let target = try SilentTarget()
            call.send(.dialRequest(network: "tcp", address: "127.0.0.1:\(target.port)", random: 9), .closeDial(random: 9))
            call.send(.dialRequest(network: "tcp", address: "127.0.0.1:1", random: 10))
            guard case .dialResponse(10, 0, _) = try await call.packet() else {
                Issue.record("another answer than that of the second dial")
                return
            }
            try await eventually("nothing is open") { agent.openConnections == 0 }
        }
    }

    @Test("An agent that stops says so, and lets what is open end")
    func drain() async throws {
        try await TunnelFixture.with { fixture in
            try await ScriptedServer.with(files: try fixture.pki.server(name: "localhost")) { server in
                let agent = try fixture.makeKonnectivityAgent(files: try fixture.pki.node("n1"), port: server.port)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await agent.run() }
                    var calls = server.calls.makeAsyncIterator()
                    let call = try #require(await calls.next())
                    _ = await call.next()
                    call.answer([("serverid", "s1"), ("servercount", "1")])
                    try await eventually("the agent knows its server") { agent.connectedServers == 1 }
                    group.cancelAll()
                    try await call.expect(.drain)
                    #expect(await call.next() == .closed)
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("A server that does not say who it is, is not one; the agent comes again")
    func noServer() async throws {
        try await TunnelFixture.with { fixture in
            try await ScriptedServer.with(files: try fixture.pki.server(name: "localhost")) { server in
                let agent = try fixture.makeKonnectivityAgent(files: try fixture.pki.node("n1"), port: server.port)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { try await agent.run() }
                    var calls = server.calls.makeAsyncIterator()
                    let first = try #require(await calls.next())
                    first.answer([("serverid", "s1")])
                    let second = try #require(await calls.next())
                    second.answer([("serverid", "s1"), ("servercount", "1")])
                    try await eventually("the agent knows its server") { agent.connectedServers == 1 }
                }
            }
        }
    }

    @Test("An agent that goes on looking does so at its interval")
    func syncForever() async throws {
        try await TunnelFixture.with { fixture in
            try await ScriptedServer.with(files: try fixture.pki.server(name: "localhost")) { server in
                let agent = try fixture.makeKonnectivityAgent(files: try fixture.pki.node("n1"), port: server.port, syncForever: true)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    group.addTask { try await agent.run() }
                    let began = ContinuousClock.now
                    var calls = server.calls.makeAsyncIterator()
                    for _ in 0..<6 {
                        let call = try #require(await calls.next())
                        call.answer([("serverid", "s1"), ("servercount", "1")])
                    }
                    // Five waits of 50 ms.
                    #expect(ContinuousClock.now - began >= .milliseconds(250))
                    #expect(agent.connectedServers == 1)
                }
            }
        }
    }
}
