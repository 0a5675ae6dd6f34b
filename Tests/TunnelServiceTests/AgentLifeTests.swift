import Foundation
import NIOCore
import TestKubernetes
import TestTunnel
import Testing
import Tunnel

@testable import TunnelService

@Suite("Agents come, go and are refused", .timeLimit(.minutes(10)))
struct AgentLifeTests {
    private func dial(_ fixture: TunnelFixture, _ target: TestTarget) async throws -> String {
        try await TestConnection.open(fixture.socket) { try await $0.connect(to: target.address) }
    }

    @Test("A node that is not in the record, or whose certificate is older than it, is refused until the record says otherwise")
    func refused() async throws {
        try await TunnelFixture.with { fixture in
            let born = Date()
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")], notBefore: Int64(born.timeIntervalSince1970)))
            let server = try fixture.makeServer()
            let stranger = try fixture.pki.node("n2")
            let old = try fixture.pki.node("n1", notBefore: born.addingTimeInterval(-300), file: "old.pem")
            let user = try fixture.pki.node("n1", group: "system:masters", file: "user.pem")
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let port = try await server.agentPort()
                for files in [stranger, old, user] {
                    let agent = fixture.makeAgent(files: files, port: port)
                    group.addTask { try await agent.run() }
                }
                try await eventually("two agents were refused twice") { server.counters.agentsRefused.current >= 4 }
                #expect(server.agents.isEmpty)
                fixture.setRecord(
                    NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")], notBefore: Int64(born.timeIntervalSince1970)),
                    NodeRecord(name: "n2", addresses: [try ip("127.0.0.2")]))
                server.directoryChanged()
                try await eventually("the agent of n2 is in") { server.agents.map(\.node) == ["n2"] }
            }
        }
    }

    @Test("A node that is removed from the record loses its tunnel and all that it carries, at once")
    func removed() async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let files = try fixture.pki.node("n1")
            try await fixture.run(agents: { [fixture.makeAgent(files: files, port: $0)] }) { server, _ in
                try await TestTarget.with(serve: TestTarget.echo) { target in
                    try await TestConnection.open(fixture.socket) { connection in
                        _ = try await connection.connect(to: target.address)
                        try await connection.write("x")
                        #expect(try await connection.read(exactly: 1) == "x")
                        fixture.setRecord()
                        server.directoryChanged()
                        let rest = try? await connection.readToEnd()
                        #expect(rest ?? [] == [])
                    }
                    #expect(try await dial(fixture, target).hasPrefix("HTTP/1.1 503 "))
                    #expect(server.agents.isEmpty)
                }
            }
        }
    }

    @Test("An agent finds the server again after it was gone")
    func reconnect() async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let files = try fixture.pki.node("n1")
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                let port = try await withThrowingTaskGroup(of: Void.self) { first in
                    let server = try fixture.makeServer()
                    first.addTask { try await server.run() }
                    let port = try await server.agentPort()
                    let agent = fixture.makeAgent(files: files, port: port)
                    group.addTask { try await agent.run() }
                    try await eventually("the agent is connected") { server.agents.count == 1 }
                    first.cancelAll()
                    return port
                }
                let server = try fixture.makeServer(port: port)
                group.addTask { try await server.run() }
                _ = try await server.agentPort()
                try await TestTarget.with(serve: TestTarget.echo) { target in
                    try await eventually("a dial succeeds") { try await dial(fixture, target).contains(" 200 ") }
                }
            }
        }
    }

    @Test("An agent waits for its certificate, and takes up a new one without a gap")
    func certificateAppearsAndRotates() async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]))
            let path = fixture.directory + "/n1.pem"
            let files = TLSFiles(certificate: path, key: path, authority: fixture.pki.authorityPath)
            let server = try fixture.makeServer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let agent = fixture.makeAgent(files: files, port: try await server.agentPort())
                group.addTask { try await agent.run() }
                try await Task.sleep(for: .milliseconds(200))
                #expect(server.counters.agentsAccepted.current == 0)
                try fixture.pki.node("n1")
                try await eventually("the agent is connected") { server.agents.count == 1 }
                try await TestTarget.with(serve: TestTarget.echo) { target in
                    try await TestConnection.open(fixture.socket) { connection in
                        _ = try await connection.connect(to: target.address)
                        try fixture.pki.node("n1")
                        try await eventually("the agent came with its new certificate") {
                            server.counters.agentsAccepted.current == 2
                        }
                        // What was open goes on over the old connection, new ones take the new.
                        try await connection.write("still")
                        #expect(try await connection.read(exactly: 5) == "still")
                        #expect(try await dial(fixture, target).contains(" 200 "))
                        connection.finish()
                        #expect(try await connection.readToEnd() == [])
                    }
                    try await eventually("the old connection is let go") { server.counters.agentsConnected.current == 1 }
                }
            }
        }
    }

    @Test("The control stream brings each new state once, and the server knows who follows it")
    func control() async throws {
        try await TunnelFixture.with { fixture in
            let endpoints = PublishedEndpoints(
                api: [try #require(Endpoint("192.0.2.1:443"))], tunnel: [try #require(Endpoint("192.0.2.1:8132"))])
            let first = NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")], podCIDR: try block("10.1.0.0/24"))
            fixture.setRecord(first, endpoints: endpoints)
            let files = try fixture.pki.node("n1")
            let server = try fixture.makeServer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let follower = FixedFollower(port: try await server.agentPort())
                let agent = fixture.makeAgent(files: files, port: 0, follower: follower)
                group.addTask { try await agent.run() }
                try await eventually("the state is confirmed") {
                    server.agents.first?.confirmed?.apiEndpoints == endpoints.api
                }
                fixture.setRecord(
                    first, NodeRecord(name: "n2", addresses: [try ip("192.0.2.2")], podCIDR: try block("10.1.1.0/24")), endpoints: endpoints
                )
                server.directoryChanged()
                server.directoryChanged()
                let route = PodRoute(pods: try block("10.1.1.0/24"), via: try ip("192.0.2.2"))
                try await eventually("the route is confirmed") { server.agents.first?.confirmed?.routes == [route] }
                #expect(follower.states.count == 2)
            }
        }
    }

    @Test("A node that cannot follow says so")
    func cannotFollow() async throws {
        try await TunnelFixture.with { fixture in
            fixture.setRecord(
                NodeRecord(name: "n1", addresses: [try ip("127.0.0.1")]),
                endpoints: PublishedEndpoints(api: [try #require(Endpoint("192.0.2.1:443"))], tunnel: []))
            let files = try fixture.pki.node("n1")
            let server = try fixture.makeServer()
            try await withThrowingTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await server.run() }
                let follower = FixedFollower(port: try await server.agentPort(), refusal: "no\nroute")
                let agent = fixture.makeAgent(files: files, port: 0, follower: follower)
                group.addTask { try await agent.run() }
                try await eventually("the failure is known") { server.agents.first?.failure == "no route" }
                #expect(server.agents.first?.confirmed == nil)
            }
        }
    }
}
