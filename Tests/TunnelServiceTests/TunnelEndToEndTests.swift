import Crypto
import Foundation
import NIOCore
import Synchronization
import TestKubernetes
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

@Suite("The tunnel, end to end", .timeLimit(.minutes(2)))
struct TunnelEndToEndTests {
    private static let established = "HTTP/1.1 200 Connection Established"

    /// A server, and an agent of node n1, which owns loopback.
    private func withNode<Result: Sendable>(
        _ body: @Sendable (TunnelFixture, TunnelServer) async throws -> Result
    ) async throws -> Result {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let files = try fixture.pki.node("n1")
            return try await fixture.run(agents: { [fixture.makeAgent(files: files, port: $0)] }) { server, _ in
                try await body(fixture, server)
            }
        }
    }

    @Test("A CONNECT on the Unix socket reaches a target through the agent")
    func echo() async throws {
        try await withNode { fixture, server in
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await TestConnection.open(fixture.socket) { connection in
                    #expect(try await connection.connect(to: target.address) == Self.established)
                    try await connection.write("hello")
                    #expect(try await connection.read(exactly: 5) == "hello")
                    try await connection.write("again")
                    #expect(try await connection.read(exactly: 5) == "again")
                    connection.finish()
                    #expect(try await connection.readToEnd().isEmpty)
                }
            }
            try await eventually("the connection is counted off") { server.counters.connectionsOpen.current == 0 }
            #expect(server.counters.bytesToNodes.current == 10)
            #expect(server.counters.bytesFromNodes.current == 10)
        }
    }

    @Test("A half-close goes through, and the answer comes back behind it")
    func halfClose() async throws {
        try await withNode { fixture, _ in
            let sent = [UInt8](repeating: 7, count: 3_000_001)
            try await TestTarget.with(serve: { connection in
                // Answers only once it has seen the end: with the hash of all that came.
                let received = try await connection.readToEnd()
                try await connection.write(Array(SHA256.hash(data: received)))
                connection.finish()
            }) { target in
                try await TestConnection.open(fixture.socket) { connection in
                    #expect(try await connection.connect(to: target.address) == Self.established)
                    try await connection.write(sent)
                    connection.finish()
                    #expect(try await connection.readToEnd() == Array(SHA256.hash(data: sent)))
                }
            }
        }
    }

    @Test("Nothing is lost when the target writes and closes, or the client does")
    func writeThenClose() async throws {
        try await withNode { fixture, _ in
            let data = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await TestTarget.with(serve: { connection in try await connection.flush(data) }) { target in
                try await withThrowingDiscardingTaskGroup { group in
                    for _ in 0..<8 {
                        group.addTask {
                            try await TestConnection.open(fixture.socket) { connection in
                                let line = try await connection.connect(to: target.address)
                                #expect(line == Self.established)
                                let received = try await connection.readToEnd()
                                #expect(SHA256.hash(data: received) == SHA256.hash(data: data))
                            }
                        }
                    }
                }
            }
            let digests = Mutex<[[UInt8]]>([])
            try await TestTarget.with(serve: { connection in
                let received = try await connection.readToEnd()
                digests.withLock { $0.append(Array(SHA256.hash(data: received))) }
            }) { target in
                // Closed both ways at once, which a Unix socket reports as a hang-up.
                try await TestConnection.open(fixture.socket) { connection in
                    #expect(try await connection.connect(to: target.address) == Self.established)
                    try await connection.flush(data)
                }
                try await eventually("the target has it all") { digests.withLock { $0.count == 1 } }
                #expect(digests.withLock { $0 } == [Array(SHA256.hash(data: data))])
            }
        }
    }

    @Test("A target that speaks first is not heard before the answer is read")
    func targetSpeaksFirst() async throws {
        try await withNode { fixture, server in
            let words = "SSH-2.0-test\r\n"
            try await TestTarget.with(serve: { connection in
                try await connection.write(words)
                try await TestTarget.echo(&connection)
            }) { target in
                for _ in 0..<20 {
                    let before = server.counters.bytesFromNodes.current
                    let descriptor = try RawSocket(path: fixture.socket)
                    try descriptor.write("CONNECT \(target.address) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                    // As kube-apiserver: one read of up to 4 KiB must give the answer and nothing else.
                    // However late it is: the target's words are at the server by then.
                    try await eventually("an answer came") { descriptor.hasInput }
                    try await eventually("the target spoke") {
                        server.counters.bytesFromNodes.current == before + words.utf8.count
                    }
                    #expect(try descriptor.read(4096) == Self.established + "\r\n\r\n")
                    try await eventually("its words are let through") { descriptor.hasInput }
                    #expect(try descriptor.read(4096) == words)
                }
            }
        }
    }

    @Test("A reader that stops reading costs the others nothing, in either direction")
    func slowReader() async throws {
        try await withNode { fixture, server in
            let flood = [UInt8](repeating: 1, count: 1 << 20)
            try await TestTarget.with(serve: { connection in
                // Asked for "d", floods; asked for "u", stops reading.
                let wish = try await connection.read(exactly: 1)
                if wish == "d" { for _ in 0..<64 { try await connection.write(flood) } }
                try await Task.sleep(for: .seconds(600))
            }) { stalled in
                try await TestTarget.with(serve: TestTarget.echo) { echo in
                    let down = try RawSocket(path: fixture.socket)
                    try down.write("CONNECT \(stalled.address) HTTP/1.1\r\n\r\n")
                    try await eventually("an answer came") { down.hasInput }
                    _ = try down.read(4096)
                    try down.write("d")
                    let up = try RawSocket(path: fixture.socket)
                    try up.write("CONNECT \(stalled.address) HTTP/1.1\r\n\r\n")
                    try await eventually("an answer came") { up.hasInput }
                    _ = try up.read(4096)
                    try up.write("u")
                    let stuffed = try await up.writeUntilFull(limit: 64 << 20)
                    // Socket buffers and a stream's window, nothing without a bound.
                    #expect(stuffed < 32 << 20)
                    let fromNodes = server.counters.bytesFromNodes.current
                    #expect(fromNodes < 32 << 20)

                    try await withThrowingDiscardingTaskGroup { group in
                        for _ in 0..<20 {
                            group.addTask {
                                try await TestConnection.open(fixture.socket) { connection in
                                    #expect(try await connection.connect(to: echo.address) == Self.established)
                                    for _ in 0..<50 {
                                        try await connection.write("ping")
                                        #expect(try await connection.read(exactly: 4) == "ping")
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("A target that cannot be reached is a status line that says why")
    func failures() async throws {
        try await withNode { fixture, server in
            let closedPort = try await TestTarget.with(serve: TestTarget.echo) { $0.port }
            let cases: [(String, String)] = [
                ("127.0.0.1:\(closedPort)", "HTTP/1.1 502 127.0.0.1:\(closedPort): "),
                ("169.254.169.254:80", "HTTP/1.1 403 169.254.169.254:80: a node's agent does not dial it"),
                ("[::1]:80", "HTTP/1.1 403 [::1]:80: a node's agent does not dial it"),
                ("no-such-name.invalid:80", "HTTP/1.1 502 no-such-name.invalid:80: no such host"),
                ("127.0.0.1", "HTTP/1.1 400 "),
            ]
            for (target, expected) in cases {
                try await TestConnection.open(fixture.socket) { connection in
                    let line = try await connection.connect(to: target)
                    #expect(line.hasPrefix(expected), "\(line)")
                }
            }
            try await TestConnection.open(fixture.socket) { connection in
                try await connection.write("GET / HTTP/1.1\r\n\r\n")
                #expect(try await connection.readHeader().hasPrefix("HTTP/1.1 405 "))
            }
            #expect(server.counters.dialsFailed.current == 4)
            #expect(server.counters.frontsRefused.current == 2)
            #expect(server.agents.count == 1)
        }
    }

    @Test("A dial goes to the node that owns the target, and to no other")
    func routing() async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(
                NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")], podCIDR: try block("127.1.0.0/24")),
                NodeRecord(name: "n2", addresses: [try ip("127.0.0.2")], podCIDR: try block("127.1.1.0/24")))
            let files = try fixture.pki.node("n1")
            try await fixture.run(agents: { [fixture.makeAgent(files: files, port: $0)] }) { _, agents in
                try await TestTarget.with(serve: TestTarget.echo) { target in
                    try await TestConnection.open(fixture.socket) { connection in
                        let line = try await connection.connect(to: "127.1.1.9:\(target.port)")
                        #expect(line == "HTTP/1.1 503 127.1.1.9:\(target.port): the agent of node n2 is not connected")
                    }
                    // A Service's address is nobody's: any agent serves.
                    try await TestConnection.open(fixture.socket) { connection in
                        _ = try await connection.connect(to: "10.96.0.1:1")
                    }
                    try await eventually("the agent dialled") {
                        agents[0].counters.dialsFailed.current + agents[0].counters.dialsSucceeded.current == 1
                    }
                }
            }
        }
    }

    @Test("A client that goes away while its target is dialled leaves nothing behind")
    func abandonedDial() async throws {
        try await withNode { fixture, server in
            let silent = try SilentTarget()
            let socket = try RawSocket(path: fixture.socket)
            try socket.write("CONNECT 127.0.0.1:\(silent.port) HTTP/1.1\r\n\r\n")
            try await eventually("the dial is under way") { server.counters.dialsPending.current == 1 }
            socket.close()
            try await eventually("the dial is given up") { server.counters.dialsAbandoned.current == 1 }
            #expect(server.counters.connectionsOpen.current == 0)
            #expect(server.counters.dialsFailed.current == 0)
        }
    }

    @Test("A target that never answers is an answer all the same")
    func timeout() async throws {
        try await withNode { fixture, _ in
            let silent = try SilentTarget()
            try await TestConnection.open(fixture.socket) { connection in
                let line = try await connection.connect(to: "127.0.0.1:\(silent.port)")
                #expect(line.hasPrefix("HTTP/1.1 504 127.0.0.1:\(silent.port): "))
            }
        }
    }
}
