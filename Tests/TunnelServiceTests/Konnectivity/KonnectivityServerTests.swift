import NIOCore
import NIOPosix
import TestKubernetes
import TestTunnel
import Testing

@testable import Tunnel
@testable import TunnelService

@Suite("Our server with agents in upstream's protocol that a test plays", .timeLimit(.minutes(10)))
struct KonnectivityServerTests {
    private static let established = "HTTP/1.1 200 Connection Established"

    @Test("The server says at once who it is and how many there are")
    func introduction() async throws {
        try await TunnelFixture.withScriptedAgent(serving: KonnectivityServing(serverCount: 3)) { _, _, call in
            #expect(
                await call.next()
                    == .headers([":status": "200", "content-type": "application/grpc", "serverid": "s1", "servercount": "3"]))
        }
    }

    @Test(
        "A call that is none is refused with a status",
        arguments: [
            ([], "/AgentService/Connect", "3"), ([("agentid", "a"), ("agentid", "b")], "/AgentService/Connect", "3"),
            ([("agentid", "a"), ("agentidentifiers", "host=%")], "/AgentService/Connect", "3"),
            ([("agentid", "a")], "/AgentService/Other", "12"),
        ])
    func badCalls(metadata: [(String, String)], path: String, status: String) async throws {
        try await TunnelFixture.withServer { fixture, server, port in
            let files = try fixture.pki.node("n1")
            try await ScriptedCall.agent(port: port, files: files, metadata: metadata, path: path) { call in
                guard case .headers(let headers) = await call.next() else {
                    Issue.record("no answer")
                    return
                }
                #expect(headers["grpc-status"] == status)
            }
            #expect(server.agents.isEmpty)
        }
    }

    @Test("An agent that is not in the record is refused, whatever it says that it reaches")
    func notInTheRecord() async throws {
        try await TunnelFixture.withServer { fixture, server, port in
            let files = try fixture.pki.node("n2")
            let metadata = [("agentid", "n1"), ("agentidentifiers", "ipv4=127.0.0.1&default-route=true")]
            try await ScriptedCall.agent(port: port, files: files, metadata: metadata) { call in
                guard case .headers(let headers) = await call.next() else { return }
                #expect(headers["grpc-status"] == "7")
            }
            #expect(server.agents.isEmpty)
            #expect(server.counters.agentsRefused.current == 1)
        }
    }

    @Test("Answers and bytes of no connection are answered with CLOSE_REQ")
    func packets() async throws {
        try await TunnelFixture.withScriptedAgent { _, server, call in
            _ = await call.next()
            try await eventually("the agent is connected") { server.agents.count == 1 }
            call.send(.dialResponse(random: 5, connectID: 9, error: ""))
            try await call.expect(.closeRequest(connectID: 9))
            call.send(.data(connectID: 9, ByteBuffer(string: "x")))
            try await call.expect(.closeRequest(connectID: 9))
        }
    }

    /// Dials through the front and answers as an agent; hands both sides to `body`.
    private func withConnection(
        _ body: @Sendable (TunnelFixture, inout TestConnection, ScriptedCall) async throws -> Void
    ) async throws {
        try await TunnelFixture.withScriptedAgent { fixture, server, call in
            try await eventually("the agent is connected") { server.agents.count == 1 }
            try await TestConnection.open(fixture.socket) { client in
                _ = await call.next()
                try await client.write("CONNECT 127.0.0.1:4 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                guard case .dialRequest(_, _, let random) = try await call.packet() else { return }
                call.send(.dialResponse(random: random, connectID: 1, error: ""))
                let header = try await client.readHeader()
                #expect(header.hasPrefix(Self.established))
                try await body(fixture, &client, call)
            }
        }
    }

    @Test("What came before CLOSE_RSP is delivered, then the client sees the end")
    func closeResponse() async throws {
        try await withConnection { _, client, call in
            let bytes = [UInt8](repeating: 6, count: 3_000_000)
            for start in stride(from: 0, to: bytes.count, by: 50_000) {
                call.send(.data(connectID: 1, ByteBuffer(bytes: bytes[start..<start + 50_000])))
            }
            call.send(.closeResponse(connectID: 1, error: ""))
            let received = try await client.readToEnd()
            #expect(received == bytes)
        }
    }

    @Test("The client's end is a CLOSE_REQ behind its bytes, and what the agent still sends is delivered")
    func closeRequest() async throws {
        try await withConnection { _, client, call in
            try await client.write("last words")
            client.finish()
            try await call.expect(.data(connectID: 1, ByteBuffer(string: "last words")))
            try await call.expect(.closeRequest(connectID: 1))
            call.send(.data(connectID: 1, ByteBuffer(string: "answer")), .closeResponse(connectID: 1, error: ""))
            let received = try await client.readToEnd()
            #expect(received == Array("answer".utf8))
        }
    }

    @Test(
        "Garbage ends the agent's call and all that it carries", arguments: [[0, 0, 0, 0, 1, 0x12], [1, 0, 0, 0, 0], [0, 0xff, 0, 0, 0]])
    func garbage(bytes: [UInt8]) async throws {
        try await withConnection { _, client, call in
            call.write(bytes)
            let rest = try? await client.readToEnd()
            #expect(rest ?? [] == [])
            while let event = await call.next() { if event == .closed { break } }
        }
    }

    @Test("A reader that stopped loses its connection when others wait, and they go on")
    func stalledReader() async throws {
        try await withConnection { fixture, _, call in
            let block = ByteBuffer(repeating: 1, count: 256 * 1024)
            for _ in 0..<40 { call.send(.data(connectID: 1, block)) }
            // Nobody reads `client`, and somebody else waits for an answer that is behind all this.
            let other = try RawSocket(path: fixture.socket)
            try other.write("CONNECT 127.0.0.1:5 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            guard case .dialRequest(_, _, let random) = try await call.packet() else { return }
            call.send(.dialResponse(random: random, connectID: 2, error: ""))
            try await call.expect(.closeRequest(connectID: 1))
            try await eventually("the other is answered") { other.hasInput }
        }
    }

    @Test("A client that gives up is told to the agent")
    func abandoned() async throws {
        try await TunnelFixture.withScriptedAgent { fixture, server, call in
            _ = await call.next()
            try await eventually("the agent is connected") { server.agents.count == 1 }
            let client = try RawSocket(path: fixture.socket)
            try client.write("CONNECT 127.0.0.1:4 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            guard case .dialRequest(_, _, let random) = try await call.packet() else { return }
            client.close()
            try await call.expect(.closeDial(random: random))
            call.send(.dialResponse(random: random, connectID: 3, error: ""))
            try await call.expect(.closeRequest(connectID: 3))
            #expect(server.counters.dialsAbandoned.current == 1)
        }
    }

    @Test("Agents show tokens where there is someone to review them")
    func tokens() async throws {
        let serving = KonnectivityServing(strategies: [.default], reviewer: OneToken(token: "good"))
        try await TunnelFixture.with { fixture in
            let server = try fixture.makeServer(front: .httpConnect, serving: serving)
            try fixture.pki.write("good.token", "good\n")
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let port = try await server.agentPort()
                let files = TLSFiles(certificate: "", key: "", authority: fixture.pki.authorityPath)
                let metadata = [("agentid", "x"), ("authorization", "Bearer bad")]
                try await ScriptedCall.agent(port: port, files: files, metadata: metadata) { call in
                    guard case .headers(let headers) = await call.next() else { return }
                    #expect(headers["grpc-status"] == "16")
                    #expect(headers["grpc-message"]?.contains("bad") == false)
                }
                let agent = try fixture.makeKonnectivityAgent(
                    files: files, port: port, tokenPath: fixture.directory + "/good.token")
                group.addTask { try await agent.run() }
                try await eventually("the agent is in") { server.agents.map(\.node) == ["a1"] }
            }
        }
    }
}

/// Knows one token.
private struct OneToken: AgentTokenReviewer {
    var token: String

    func review(_ token: String, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        token == self.token
            ? eventLoop.makeSucceededFuture(()) : eventLoop.makeFailedFuture(AgentTokenRefused(reason: "it is unknown"))
    }
}
