package import NIOCore
import NIOPosix
import Synchronization

/// Listens, and serves each connection, while a test's body runs.
///
/// SwiftNIO's own server of `NIOAsyncChannel`s ends the process where a connection was accepted and nobody came to serve it, as when that
/// server is cancelled (apple/swift-nio#2637, #2813). Here each one is served, if only to be closed.
package enum TestListener {
    /// - Parameter serve: runs `executeThenClose` first of all. What it throws is lost: a client that breaks off has its reasons.
    package static func with<In: Sendable, Out: Sendable, Value: Sendable>(
        _ address: SocketAddress, wrap: @escaping @Sendable (any Channel) throws -> NIOAsyncChannel<In, Out>,
        serve: @escaping @Sendable (NIOAsyncChannel<In, Out>) async throws -> Void,
        _ body: (_ listener: any Channel) async throws -> Value
    ) async throws -> Value {
        let accepted = Accepted<In, Out>()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in channel.eventLoop.makeCompletedFuture { try accepted.add { try wrap(channel) } } }
            .bind(to: address).get()
        // It is cancelled, and waited for, when this function is left.
        async let _ = accepted.serveEach(serve)
        defer { listener.close(promise: nil) }
        return try await body(listener)
    }
}

private final class Accepted<In: Sendable, Out: Sendable>: Sendable {
    typealias Connection = NIOAsyncChannel<In, Out>

    private struct State {
        var waiting: [Connection] = []
        var hasEnded = false
    }

    private let state = Mutex(State())
    private let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    func add(_ wrap: () throws -> Connection) throws {
        try state.withLock { state in
            guard !state.hasEnded else { throw ChannelError.alreadyClosed }
            state.waiting.append(try wrap())
        }
        arrival.yield()
    }

    func serveEach(_ serve: @escaping @Sendable (Connection) async throws -> Void) async {
        await withDiscardingTaskGroup { serving in
            for await _ in arrivals {
                for connection in take() { serving.addTask { try? await serve(connection) } }
            }
            serving.cancelAll()
            for connection in take(last: true) { serving.addTask { try? await serve(connection) } }
        }
    }

    private func take(last: Bool = false) -> [Connection] {
        state.withLock { state in
            defer { state = State(hasEnded: last) }
            return state.waiting
        }
    }
}
