import NIOCore
import Testing
import Tunnel

@testable import TunnelService

@Suite("The tunnel, end to end", .timeLimit(.minutes(2)))
struct TunnelEndToEndTests {
    @Test("A CONNECT on the Unix socket reaches a target through the agent")
    func echo() async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let files = try fixture.pki.node("n1")
            try await fixture.run(agents: { [fixture.makeAgent(files: files, port: $0)] }) { server, _ in
                try await TestTarget.with(serve: TestTarget.echo) { target in
                    try await TestConnection.open(fixture.socket) { connection in
                        #expect(try await connection.connect(to: target.address) == "HTTP/1.1 200 Connection Established")
                        try await connection.write("hello")
                        #expect(try await connection.read(exactly: 5) == "hello")
                        try await connection.write("again")
                        #expect(try await connection.read(exactly: 5) == "again")
                        connection.finish()
                        #expect(try await connection.readToEnd().isEmpty)
                    }
                }
                try await TunnelFixture.eventually("the connection is counted off") { server.counters.connectionsOpen.current == 0 }
                #expect(server.counters.bytesToNodes.current == 10)
                #expect(server.counters.bytesFromNodes.current == 10)
            }
        }
    }
}
