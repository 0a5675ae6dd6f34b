import NIOCore
import NIOPosix
import Synchronization
import TestListener

/// Stands where kube-apiserver finds the tunnel's server: dials what it asks for (HTTP CONNECT), and notes it.
final class TunnelSocket: Sendable {
    private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private let dialled = Mutex<[String]>([])

    /// `host:port`, in the order in which they were asked for.
    var targets: [String] { dialled.withLock { $0 } }

    static func with(_ path: String, _ body: (TunnelSocket) async throws -> Void) async throws {
        let socket = TunnelSocket()
        try await TestListener.with(try SocketAddress(unixDomainSocketPath: path), wrap: wrap, serve: socket.serve) { _ in
            try await body(socket)
        }
    }

    private static func wrap(_ channel: any Channel) throws -> Connection { try Connection(wrappingChannelSynchronously: channel) }

    private func serve(_ client: Connection) async throws {
        try await client.executeThenClose { input, output in
            var pieces = input.makeAsyncIterator()
            var head = ""
            // Nothing follows the question before its answer.
            while !head.hasSuffix("\r\n\r\n"), let bytes = try await pieces.next() { head += String(buffer: bytes) }
            let target = head.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            let parts = target.split(separator: ":")
            guard parts.count == 2, let port = Int(parts[1]) else { return }
            dialled.withLock { $0.append(target) }
            let remote = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: String(parts[0]), port: port) { channel in
                    channel.eventLoop.makeCompletedFuture { try Self.wrap(channel) }
                }
            try await remote.executeThenClose { answers, questions in
                try await output.write(ByteBuffer(string: "HTTP/1.1 200 Connection Established\r\n\r\n"))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await bytes in answers { try await output.write(bytes) }
                        output.finish()
                    }
                    defer { group.cancelAll() }
                    while let bytes = try await pieces.next() { try await questions.write(bytes) }
                }
            }
        }
    }
}
