import NIOCore
import NIOPosix
import Synchronization

@testable import Tunnel

/// One address in front of several ports of loopback, which take turns.
struct TestBalancer: Sendable {
    let port: Int

    static func with<Result: Sendable>(
        ports: [Int], _ body: @Sendable (TestBalancer) async throws -> Result
    ) async throws -> Result {
        let turn = Mutex(0)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try await ServerBootstrap(group: eventLoop)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { near in
                let port = turn.withLock { turn in
                    defer { turn += 1 }
                    return ports[turn % ports.count]
                }
                let nearEnd = NIOLoopBound(SocketEnd(), eventLoop: eventLoop)
                let farEnd = NIOLoopBound(SocketEnd(), eventLoop: eventLoop)
                return near.eventLoop.makeCompletedFuture {
                    try near.pipeline.syncOperations.addHandler(nearEnd.value)
                    // Not waited for: the channel is read on demand, once there is someone to read for.
                    ClientBootstrap(group: eventLoop)
                        .channelOption(.autoRead, value: false)
                        .channelOption(.allowRemoteHalfClosure, value: true)
                        .channelInitializer { far in
                            far.eventLoop.makeCompletedFuture { try far.pipeline.syncOperations.addHandler(farEnd.value) }
                        }
                        .connect(host: "127.0.0.1", port: port)
                        .whenSuccess { _ in
                            nearEnd.value.link(to: farEnd.value)
                            farEnd.value.link(to: nearEnd.value)
                        }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(TestBalancer(port: server.localAddress?.port ?? 0)))
        } catch {
            result = .failure(error)
        }
        try? await server.close()
        return try result.get()
    }
}
