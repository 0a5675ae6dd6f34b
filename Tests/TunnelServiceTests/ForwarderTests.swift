import Logging
import NIOCore
import NIOPosix
import TestTunnel
import Testing
import Tunnel

@testable import NodeAgent

@Suite("The API forwarder", .timeLimit(.minutes(10)))
struct ForwarderTests {
    private func withForwarder<Result: Sendable>(
        _ endpoints: [Endpoint], filter: SourceFilter = SourceFilter(pods: nil),
        _ body: @Sendable (APIForwarder, Int) async throws -> Result
    ) async throws -> Result {
        // Port 0 is no endpoint, so a free one is asked for first.
        let free = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(free.localAddress?.port)
        try await free.close()
        let forwarder = APIForwarder(
            address: try #require(Endpoint(host: "127.0.0.1", port: port)), endpoints: endpoints, filter: filter,
            eventLoop: MultiThreadedEventLoopGroup.singleton.next(), logger: TunnelFixture.logger("forwarder"))
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await forwarder.run() }
            defer { group.cancelAll() }
            return try await body(forwarder, try await forwarder.port())
        }
    }

    /// Port 1 is never given to anybody who asks for any port, as that of a listener that was closed is.
    private let closedEndpoint = Endpoint(host: "127.0.0.1", port: 1)

    @Test("An endpoint that is down is passed over, and a new list is taken up")
    func failover() async throws {
        let down = try #require(closedEndpoint)
        try await TestTarget.with(serve: TestTarget.echo) { target in
            let up = try #require(Endpoint(target.address))
            try await withForwarder([down, up]) { forwarder, port in
                for _ in 0..<6 {
                    try await TestConnection.open(host: "127.0.0.1", port: port) { connection in
                        try await connection.write("hello")
                        let answer = try await connection.read(exactly: 5)
                        #expect(answer == "hello")
                        connection.finish()
                        let rest = try await connection.readToEnd()
                        #expect(rest == [])
                    }
                }
                forwarder.update([down])
                await #expect(throws: (any Error).self) {
                    try await TestConnection.open(host: "127.0.0.1", port: port) { _ = try await $0.read(exactly: 1) }
                }
                forwarder.update([up])
                try await TestConnection.open(host: "127.0.0.1", port: port) { connection in
                    try await connection.write("again")
                    let answer = try await connection.read(exactly: 5)
                    #expect(answer == "again")
                }
            }
        }
    }

    @Test("Others than this node and its pods are turned away")
    func strangers() async throws {
        try await TestTarget.with(serve: TestTarget.echo) { target in
            let up = try #require(Endpoint(target.address))
            try await withForwarder([up], filter: SourceFilter(pods: nil, readAddresses: { [] })) { _, port in
                _ = await #expect(throws: (any Error).self) {
                    try await TestConnection.open(host: "127.0.0.1", port: port) { _ = try await $0.read(exactly: 1) }
                }
            }
        }
    }
}
