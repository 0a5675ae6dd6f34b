import Foundation
import KubernetesAPI
import Synchronization
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

@Suite("Several tunnel servers", .timeLimit(.minutes(2)))
struct PeersTests {
    private static let established = "HTTP/1.1 200 Connection Established"

    /// Two servers of one control plane that know each other, each with a front of its own.
    private func withServers(
        _ body:
            @Sendable (TunnelFixture, _ servers: [(server: TunnelServer, socket: String, port: Int, stop: @Sendable () -> Void)])
            async throws -> Void
    ) async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let tls = try fixture.pki.server()
            try await withThrowingTaskGroup(of: Void.self) { group in
                var servers: [(server: TunnelServer, socket: String, port: Int, stop: @Sendable () -> Void)] = []
                var peerPorts: [Int] = []
                defer { group.cancelAll() }
                for number in 0..<2 {
                    let socket = fixture.directory + "/t\(number).sock"
                    let server = TunnelServer(
                        configuration: TunnelServerConfiguration(
                            front: FrontListening(.unix(path: socket)), agentHost: "127.0.0.1", agentPort: 0, tls: tls,
                            peers: PeerListening(
                                host: "127.0.0.1", port: 0, serverName: "nestbox-tunnel",
                                identifier: ServerCertificateIdentifier(serverName: "nestbox-tunnel")),
                            serverID: "server-\(number)", drainTime: .seconds(1)),
                        identifier: NodeCertificateIdentifier(), directory: fixture.record, logger: TunnelFixture.logger("server\(number)"))
                    let running = Task { try await server.run() }
                    group.addTask {
                        try await withTaskCancellationHandler {
                            try await running.value
                        } onCancel: {
                            running.cancel()
                        }
                    }
                    peerPorts.append(try #require(try await server.peerPort()))
                    servers.append((server, socket, try await server.agentPort(), { running.cancel() }))
                }
                servers[0].server.setPeers([Peer(id: "server-1", endpoint: try #require(Endpoint(host: "127.0.0.1", port: peerPorts[1])))])
                servers[1].server.setPeers([Peer(id: "server-0", endpoint: try #require(Endpoint(host: "127.0.0.1", port: peerPorts[0])))])
                try await body(fixture, servers)
            }
        }
    }

    private func answer(_ socket: String, _ target: TestTarget) async throws -> String {
        try await TestConnection.open(socket) { connection in
            let line = try await connection.connect(to: target.address)
            guard line == Self.established else { return line }
            try await connection.write("hello")
            return try await connection.read(exactly: 5)
        }
    }

    @Test("A dial goes through the peer that holds the node, and an agent that knows both connects to both")
    func passedOn() async throws {
        try await withServers { fixture, servers in
            let files = try fixture.pki.node("n1")
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    // This agent's address leads to one server, whatever it does.
                    let agent = fixture.makeAgent(files: files, port: servers[0].port)
                    group.addTask { try await agent.run() }
                    try await TunnelFixture.eventually("the other server passes it on") {
                        try await self.answer(servers[1].socket, target) == "hello"
                    }
                    #expect(try await self.answer(servers[0].socket, target) == "hello")
                    #expect(servers[1].server.agents.isEmpty)
                }
                try await TunnelFixture.eventually("the agent is gone") { servers[0].server.agents.isEmpty }
                try await TunnelFixture.eventually("the peer heard of it") {
                    try await self.answer(servers[1].socket, target).hasPrefix("HTTP/1.1 503")
                }
            }
        }
    }

    @Test("An agent keeps a connection to each of two servers; when one is gone the other carries, and finds the peer gone")
    func twoServers() async throws {
        try await withServers { fixture, servers in
            let files = try fixture.pki.node("n1")
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    let agent = fixture.makeAgent(files: files, port: 0, follower: FixedFollower(ports: servers.map(\.port)))
                    group.addTask { try await agent.run() }
                    try await TunnelFixture.eventually("both servers have the agent") {
                        servers.allSatisfy { $0.server.agents.map(\.node) == ["n1"] }
                    }
                    try await TestConnection.open(servers[1].socket) { connection in
                        #expect(try await connection.connect(to: target.address) == Self.established)
                        servers[0].stop()
                        for _ in 0..<20 { #expect(try await self.answer(servers[1].socket, target) == "hello") }
                        try await connection.write("still")
                        #expect(try await connection.read(exactly: 5) == "still")
                    }
                }
            }
        }
    }

    @Test("A node's certificate is not a peer's")
    func notAPeer() async throws {
        try await TunnelFixture.with { fixture in
            let identifier = ServerCertificateIdentifier(serverName: "nestbox-tunnel")
            let server = try fixture.pki.certificate(try fixture.pki.server().certificate)
            let node = try fixture.pki.certificate(try fixture.pki.node("n1").certificate)
            try identifier.check(certificate: server)
            #expect(throws: NotAPeer.self) { try identifier.check(certificate: node) }
        }
    }
}

@Suite("The Leases of tunnel servers")
struct PeerLeasesTests {
    private func lease(_ id: String, _ address: String, renewed: String) -> Lease {
        Lease(
            metadata: ObjectMeta(
                name: PeerLeases.name(of: id), namespace: "nestbox-system", annotations: [PeerLeases.address: address]),
            spec: LeaseSpec(holderIdentity: id, leaseDurationSeconds: 30, renewTime: renewed))
    }

    @Test("Others that renew theirs are peers; one that does not is gone after its duration, whatever its clock says")
    func expiry() throws {
        var leases = PeerLeases(ownID: "a", port: 8133)
        let own = lease("a", "10.0.0.1:8133", renewed: "1")
        let peer = Peer(id: "b", endpoint: try #require(Endpoint("10.0.0.2:8133")))
        #expect(leases.read([own, lease("b", "10.0.0.2:8133", renewed: "1")], now: .seconds(0)).peers == [peer])
        #expect(leases.read([own, lease("b", "10.0.0.2:8133", renewed: "2")], now: .seconds(20)).peers == [peer])
        #expect(leases.read([own, lease("b", "10.0.0.2:8133", renewed: "2")], now: .seconds(49)).peers == [peer])
        let late = leases.read([own, lease("b", "10.0.0.2:8133", renewed: "2")], now: .seconds(50))
        #expect(late.peers.isEmpty)
        #expect(late.expired == ["tunnel-server-b"])
        #expect(leases.read([own, lease("b", "10.0.0.2:8133", renewed: "3")], now: .seconds(60)).peers == [peer])
    }

    @Test("A Lease does not make a server connect to another port, or look up a name", arguments: ["10.0.0.2:22", "evil.example:8133", ""])
    func elsewhere(address: String) {
        var leases = PeerLeases(ownID: "a", port: 8133)
        #expect(leases.read([lease("b", address, renewed: "1")], now: .zero).peers.isEmpty)
    }
}
