import TestKubernetes
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

/// What may come to a front that is not kube-apiserver's good will: bounded, counted, and the rest is served.
@Suite("Hostile and broken fronts", .serialized, .timeLimit(.minutes(10)))
struct HostileFrontTests {
    private static let established = "HTTP/1.1 200 Connection Established"

    private func withNode(_ body: @Sendable (TunnelFixture, TunnelServer, TestTarget) async throws -> Void) async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1"), try ip("127.0.0.2")]))
            let files = try fixture.pki.node("n1")
            try await fixture.run(agents: { [fixture.makeAgent(files: files, port: $0)] }) { server, _ in
                try await TestTarget.with(serve: TestTarget.echo) { try await body(fixture, server, $0) }
            }
        }
    }

    private func expectService(_ fixture: TunnelFixture, _ target: TestTarget) async throws {
        try await TestConnection.open(fixture.socket) { connection in
            #expect(try await connection.connect(to: target.address) == Self.established)
            try await connection.write("hello")
            #expect(try await connection.read(exactly: 5) == "hello")
        }
    }

    @Test("Connections that say nothing, or their header a byte at a time, make room for those that ask; the oldest goes first")
    func silentConnections() async throws {
        try await withNode { fixture, server, target in
            let silent = try (0..<1500).map { number in
                let socket = try RawSocket(path: fixture.socket)
                if number.isMultiple(of: 3) { try socket.write("CONNECT 127.0.0.1:") }
                return socket
            }
            try await eventually("the oldest are told to go") { server.counters.frontsEvicted.current >= 1500 - 1024 }
            try await eventually("the first was answered") { silent[0].hasInput }
            #expect(try silent[0].read(200).hasPrefix("HTTP/1.1 408 too many"))
            #expect(!silent[1499].hasInput)
            try await expectService(fixture, target)
            for socket in silent { socket.close() }
        }
    }

    @Test(
        "Garbage is answered with what is wrong with it",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 405"), ("CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n", "HTTP/1.1 400"),
            ("CONNECT 127.0.0.1:99999 HTTP/1.1\r\n\r\n", "HTTP/1.1 400"), ("CONNECT a:1 HTTP/9\r\n\r\n", "HTTP/1.1 505"),
            ("\u{0}\u{1}\u{2}\r\n\r\n", "HTTP/1.1 400"), (String(repeating: "x", count: 20_000), "HTTP/1.1 431"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/1.1 505"),
        ])
    func garbage(text: String, answer: String) async throws {
        try await withNode { fixture, server, target in
            let socket = try RawSocket(path: fixture.socket)
            try socket.write(text)
            try await eventually("it is answered") { socket.hasInput }
            #expect(try socket.read(400).hasPrefix(answer))
            #expect(server.counters.frontsRefused.current == 1)
            try await expectService(fixture, target)
        }
    }

    @Test("Thousands of dials to a target that answers nothing leave room for the others, and all are answered")
    func halfOpenDials() async throws {
        try await withNode { fixture, server, target in
            let silent = try SilentTarget()
            let dials = try (0..<3000).map { _ in
                let socket = try RawSocket(path: fixture.socket)
                try socket.write("CONNECT 127.0.0.1:\(silent.port) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                return socket
            }
            try await eventually("the agent turns away what is too much for one host") {
                server.counters.dialsFailed.current >= 3000 - 256
            }
            // The same node by another address, so another host.
            try await TestConnection.open(fixture.socket) { connection in
                let other = target.address.replacing("127.0.0.1", with: "127.0.0.2")
                let line = try await connection.connect(to: other)
                #expect(line.hasPrefix("HTTP/1.1 502"), "refused by the target, not by a limit")
            }
            try await eventually("every dial is answered") { dials.allSatisfy(\.hasInput) }
            #expect(server.counters.dialsPending.current == 0)
            try await expectService(fixture, target)
        }
    }
}
