import Crypto
import Foundation
import NIOCore
import Synchronization
import TestKubernetes
import TestTunnel
import Testing

@testable import Tunnel
@testable import TunnelService

@Suite("Our server with our agent in upstream's protocol", .timeLimit(.minutes(2)))
struct KonnectivityEndToEndTests {
    private static let established = "HTTP/1.1 200 Connection Established"

    @Test("A CONNECT reaches a target through the agent, and bytes are counted at both ends")
    func echo() async throws {
        try await TunnelFixture.withKonnectivity { fixture, server in
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await TestConnection.open(fixture.socket) { connection in
                    #expect(try await connection.connect(to: target.address) == Self.established)
                    try await connection.write("hello")
                    #expect(try await connection.read(exactly: 5) == "hello")
                    connection.finish()
                    #expect(try await connection.readToEnd().isEmpty)
                }
            }
            try await eventually("the connection is counted off") { server.counters.connectionsOpen.current == 0 }
            #expect(server.counters.bytesToNodes.current == 5)
            #expect(server.counters.bytesFromNodes.current == 5)
        }
    }

    @Test("Nothing is lost when the target writes and closes, or the client does")
    func writeThenClose() async throws {
        try await TunnelFixture.withKonnectivity { fixture, _ in
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
                try await TestConnection.open(fixture.socket) { connection in
                    #expect(try await connection.connect(to: target.address) == Self.established)
                    try await connection.flush(data)
                }
                try await eventually("the target has it all") { digests.withLock { $0.count == 1 } }
                #expect(digests.withLock { $0 } == [Array(SHA256.hash(data: data))])
            }
        }
    }

    @Test("A target that refuses, and a name that is none, are told to the client")
    func failures() async throws {
        try await TunnelFixture.withKonnectivity { fixture, server in
            try await TestConnection.open(fixture.socket) { connection in
                let line = try await connection.connect(to: "127.0.0.1:1")
                #expect(line.hasPrefix("HTTP/1.1 502 "))
                #expect(line.lowercased().contains("connection refused"))
            }
            try await TestConnection.open(fixture.socket) { connection in
                let line = try await connection.connect(to: "no.such.host.invalid:80")
                #expect(line.hasPrefix("HTTP/1.1 502 "))
                #expect(line.contains("no such host"))
            }
            #expect(server.counters.dialsFailed.current == 2)
        }
    }

    @Test("Through kube-apiserver's gRPC dialer: dial, bytes, CLOSE_RSP before the end, which is OK")
    func grpcFront() async throws {
        try await TunnelFixture.withKonnectivity(front: .grpc) { fixture, server in
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await ScriptedCall.client(fixture.socket) { call in
                    #expect(await call.next() == .headers([":status": "200", "content-type": "application/grpc"]))
                    call.send(.dialRequest(network: "tcp", address: target.address, random: 77))
                    try await call.expect(.dialResponse(random: 77, connectID: 1, error: ""))
                    call.send(.data(connectID: 1, ByteBuffer(string: "hello")))
                    try await call.expect(.data(connectID: 1, ByteBuffer(string: "hello")))
                    call.send(.closeRequest(connectID: 1))
                    try await call.expect(.closeResponse(connectID: 1, error: ""))
                    #expect(await call.next() == .ended(.ok))
                }
                try await eventually("the connection is counted off") { server.counters.connectionsOpen.current == 0 }
            }
            try await ScriptedCall.client(fixture.socket) { call in
                _ = await call.next()
                call.send(.dialRequest(network: "tcp", address: "127.0.0.1:1", random: 78))
                guard case .dialResponse(78, 0, let error) = try await call.packet() else {
                    Issue.record("no DIAL_RSP")
                    return
                }
                #expect(error.lowercased().contains("connection refused"))
                #expect(await call.next() == .ended(.ok))
            }
            try await ScriptedCall.client(fixture.socket, path: "/ProxyService/Other") { call in
                guard case .headers(let headers) = await call.next() else { return }
                #expect(headers["grpc-status"] == "12")
            }
        }
    }

    @Test("A target that speaks first and closes: its words, then CLOSE_RSP, then the end")
    func targetSpeaksFirst() async throws {
        try await TunnelFixture.withKonnectivity(front: .grpc) { fixture, _ in
            try await TestTarget.with(serve: { connection in try await connection.flush(Array("bye".utf8)) }) { target in
                try await ScriptedCall.client(fixture.socket) { call in
                    _ = await call.next()
                    call.send(.dialRequest(network: "tcp", address: target.address, random: 1))
                    try await call.expect(.dialResponse(random: 1, connectID: 1, error: ""))
                    try await call.expect(.data(connectID: 1, ByteBuffer(string: "bye")))
                    try await call.expect(.closeResponse(connectID: 1, error: ""))
                    #expect(await call.next() == .ended(.ok))
                }
            }
        }
    }

    @Test("An agent finds all servers behind one address that leads to either, and no more")
    func twoServers() async throws {
        try await TunnelFixture.with { fixture in
            let serving = KonnectivityServing(serverCount: 2, strategies: [.default])
            let servers = try (1...2).map {
                try fixture.makeServer(front: .httpConnect, serving: serving, socket: fixture.directory + "/\($0).sock", serverID: "s\($0)")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                for server in servers { group.addTask { try await server.run() } }
                let ports = [try await servers[0].agentPort(), try await servers[1].agentPort()]
                // The first server twice, as chance may have it.
                try await TestBalancer.with(ports: [ports[0]] + ports) { balancer in
                    let agent = try fixture.makeKonnectivityAgent(files: try fixture.pki.node("n1"), port: balancer.port)
                    try await withThrowingTaskGroup(of: Void.self) { running in
                        defer { running.cancelAll() }
                        running.addTask { try await agent.run() }
                        try await eventually("both servers have it") { servers.allSatisfy { $0.agents.count == 1 } }
                        // A server knows of it a moment before the agent does.
                        try await eventually("it has both") { agent.connectedServers == 2 }
                        #expect(agent.knownServerCount == 2)
                    }
                }
            }
        }
    }
}
