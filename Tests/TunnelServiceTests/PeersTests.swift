import Foundation
import KubernetesAPI
import ServiceLifecycle
import Synchronization
import TestKubernetes
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

@Suite("Several tunnel servers", .timeLimit(.minutes(10)))
struct PeersTests {
    private static let established = "HTTP/1.1 200 Connection Established"

    private struct Running: Sendable {
        let server: TunnelServer
        let socket: String
        let port: Int
        let group: ServiceGroup
        /// At once, as when it is killed.
        let stop: @Sendable () -> Void
    }

    /// Servers of one control plane that know each other, each with a front of its own.
    ///
    /// - Parameter leaving: for how long one that is shut down goes on with what it has.
    private func withServers(
        _ count: Int, leaving: Duration = .seconds(3), _ body: @Sendable (TunnelFixture, [Running]) async throws -> Void
    ) async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let tls = try fixture.pki.server()
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                var servers: [Running] = []
                for number in 0..<count {
                    let running = try await start(number, fixture, tls, leaving: leaving, in: &group)
                    servers.append(running)
                }
                var peers: [Peer] = []
                for (number, running) in servers.enumerated() {
                    let port = try #require(try await running.server.peerPort())
                    peers.append(Peer(id: "server-\(number)", endpoint: try #require(Endpoint(host: "127.0.0.1", port: port))))
                }
                for (number, running) in servers.enumerated() {
                    running.server.setPeers(Set(peers.enumerated().filter { $0.offset != number }.map(\.element)))
                }
                try await body(fixture, servers)
            }
        }
    }

    private func start(
        _ number: Int, _ fixture: TunnelFixture, _ tls: TLSFiles, leaving: Duration, in group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> Running {
        let socket = fixture.directory + "/t\(number).sock"
        let logger = TunnelFixture.logger("server\(number)")
        let server = TunnelServer(
            configuration: TunnelServerConfiguration(
                front: FrontListening(.unix(path: socket)), agentHost: "127.0.0.1", agentPort: 0, tls: tls,
                peers: PeerListening(
                    host: "127.0.0.1", port: 0, serverName: "nestbox-tunnel",
                    identifier: ServerCertificateIdentifier(serverName: "nestbox-tunnel")),
                serverID: "server-\(number)", shutdownDelay: leaving, drainTime: .seconds(2)),
            identifier: NodeCertificateIdentifier(), directory: fixture.record, logger: logger)
        let services = ServiceGroup(configuration: .init(services: [server], logger: logger))
        let running = Task { try await services.run() }
        group.addTask {
            try await withTaskCancellationHandler {
                try await running.value
            } onCancel: {
                running.cancel()
            }
        }
        return Running(
            server: server, socket: socket, port: try await server.agentPort(), group: services, stop: { running.cancel() })
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
        try await withServers(2) { fixture, servers in
            let files = try fixture.pki.node("n1")
            try await TestTarget.with(serve: TestTarget.echo) { target in
                // This agent's address leads to one server, whatever it does.
                try await fixture.withAgent(files, servers[0].port, of: servers[0].server) { _ in
                    try await eventually("the other server passes it on") {
                        try await self.answer(servers[1].socket, target) == "hello"
                    }
                    #expect(try await self.answer(servers[0].socket, target) == "hello")
                    #expect(servers[1].server.agents.isEmpty)
                }
                try await eventually("the peer heard of it") {
                    try await self.answer(servers[1].socket, target).hasPrefix("HTTP/1.1 503")
                }
            }
        }
    }

    @Test("An agent keeps a connection to each of two servers; when one is gone the other carries, and finds the peer gone")
    func twoServers() async throws {
        try await withServers(2) { fixture, servers in
            let files = try fixture.pki.node("n1")
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    let agent = fixture.makeAgent(files: files, port: 0, follower: FixedFollower(ports: servers.map(\.port)))
                    group.addTask { try await agent.run() }
                    try await eventually("both servers have the agent") {
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

    @Test("Three servers restarted one after the other drop no dial that is made through another")
    func rollingRestart() async throws {
        try await withServers(3) { fixture, servers in
            let files = try fixture.pki.node("n1")
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    defer { group.cancelAll() }
                    let agent = fixture.makeAgent(files: files, port: 0, follower: FixedFollower(ports: servers.map(\.port)))
                    group.addTask { try await agent.run() }
                    try await eventually("every server holds the agent") {
                        servers.allSatisfy { !$0.server.agents.isEmpty }
                    }
                    for leaving in servers.dropLast() {
                        let staying = try #require(servers.last)
                        await leaving.group.triggerGracefulShutdown()
                        // Also through the one that leaves, as kube-apiserver beside it still may, until its time is over.
                        #expect(try await self.answer(leaving.socket, target) == "hello")
                        for _ in 0..<50 { #expect(try await self.answer(staying.socket, target) == "hello") }
                        try await eventually("it is gone") { leaving.server.agents.isEmpty }
                        for _ in 0..<50 { #expect(try await self.answer(staying.socket, target) == "hello") }
                    }
                }
            }
        }
    }

    @Test("What only a leaving server holds goes through it until it ends, also when it is no longer listed")
    func onlyTheLeavingOneHoldsIt() async throws {
        try await withServers(2, leaving: .seconds(300)) { fixture, servers in
            let files = try fixture.pki.node("n1")
            try await TestTarget.with(serve: TestTarget.echo) { target in
                try await fixture.withAgent(files, servers[0].port, of: servers[0].server) { agent in
                    try await eventually("the other server passes it on") {
                        try await self.answer(servers[1].socket, target) == "hello"
                    }
                    await servers[0].group.triggerGracefulShutdown()
                    try await eventually("the agent has heard of it") { agent.connectedServers == 0 }
                    #expect(try await self.answer(servers[1].socket, target) == "hello")
                    servers[1].server.setPeers([])
                    #expect(try await self.answer(servers[1].socket, target) == "hello")
                    servers[0].stop()
                    try await eventually("it is gone") { servers[0].server.agents.isEmpty }
                    #expect(try await self.answer(servers[1].socket, target).hasPrefix("HTTP/1.1 503"))
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
        #expect(late.expired == ["b"])
        #expect(leases.read([own, lease("b", "10.0.0.2:8133", renewed: "3")], now: .seconds(60)).peers == [peer])
    }

    @Test("A Lease does not make a server connect to another port, or look up a name", arguments: ["10.0.0.2:22", "evil.example:8133", ""])
    func elsewhere(address: String) {
        var leases = PeerLeases(ownID: "a", port: 8133)
        #expect(leases.read([lease("b", address, renewed: "1")], now: .zero).peers.isEmpty)
    }
}
