import Glibc
import NIOCore
import NIOPosix
import TestListener
import Tunnel

/// A connection of a test's, read and written a piece at a time.
package struct TestConnection {
    package typealias Channel = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    package struct Ended: Error, Equatable {
        package init() {}
    }

    var input: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    package let output: NIOAsyncChannelOutboundWriter<ByteBuffer>
    package let channel: any NIOCore.Channel
    private var leftover = ByteBuffer()

    init(
        _ channel: any NIOCore.Channel, _ input: NIOAsyncChannelInboundStream<ByteBuffer>,
        _ output: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        self.input = input.makeAsyncIterator()
        self.output = output
    }

    /// The next bytes, or nil at the end.
    package mutating func read() async throws -> ByteBuffer? {
        if leftover.readableBytes > 0 {
            defer { leftover = ByteBuffer() }
            return leftover
        }
        return try await input.next()
    }

    package mutating func read(exactly count: Int) async throws -> String {
        var collected = ByteBuffer()
        while collected.readableBytes < count {
            guard var next = try await read() else { throw Ended() }
            collected.writeBuffer(&next)
        }
        leftover = collected
        let text = leftover.readString(length: count) ?? ""
        return text
    }

    package mutating func readToEnd() async throws -> [UInt8] {
        var all: [UInt8] = []
        while let next = try await read() { all += next.readableBytesView }
        return all
    }

    package mutating func readHeader() async throws -> String {
        var text = ""
        while !text.hasSuffix("\r\n\r\n") { text += try await read(exactly: 1) }
        return text
    }

    package func write(_ text: String) async throws { try await output.write(ByteBuffer(string: text)) }
    package func write(_ bytes: [UInt8]) async throws { try await output.write(ByteBuffer(bytes: bytes)) }
    /// Returns once the kernel has it all, so that a close loses nothing on this side.
    package func flush(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() }
    package func finish() { output.finish() }

    /// Breaks off, so that over TCP the other side sees a reset.
    package func reset() async throws {
        if let options = channel as? any SocketOptionProvider {
            try? await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        }
        try await channel.close()
    }

    /// Connects to a Unix socket and runs `body`.
    package static func open<Result: Sendable>(
        _ path: String, _ body: @Sendable (inout TestConnection) async throws -> Result
    ) async throws -> Result {
        let channel = try await bootstrap.connect(unixDomainSocketPath: path) { channel in
            channel.eventLoop.makeCompletedFuture { try wrap(channel) }
        }
        return try await use(channel, body)
    }

    package static func open<Result: Sendable>(
        host: String, port: Int, _ body: @Sendable (inout TestConnection) async throws -> Result
    ) async throws -> Result {
        let channel = try await bootstrap.connect(host: host, port: port) { channel in
            channel.eventLoop.makeCompletedFuture { try wrap(channel) }
        }
        return try await use(channel, body)
    }

    private static var bootstrap: ClientBootstrap {
        ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).channelOption(.allowRemoteHalfClosure, value: true)
    }

    fileprivate static func use<Result: Sendable>(
        _ channel: Channel, _ body: @Sendable (inout TestConnection) async throws -> Result
    ) async throws -> Result {
        try await channel.executeThenClose { input, output in
            var connection = TestConnection(channel.channel, input, output)
            return try await body(&connection)
        }
    }

    /// Asks for a target and returns the status line.
    package mutating func connect(to target: String) async throws -> String {
        try await write("CONNECT \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        let header = try await readHeader()
        return String(header.prefix { $0 != "\r\n" })
    }

    @Sendable fileprivate static func wrap(_ channel: any NIOCore.Channel) throws -> Channel {
        try NIOAsyncChannel(
            wrappingChannelSynchronously: channel,
            configuration: .init(
                backPressureStrategy: .init(lowWatermark: 1, highWatermark: 4), isOutboundHalfClosureEnabled: true))
    }
}

/// A TCP server, on loopback unless it is told otherwise, that serves each connection with `serve`.
package struct TestTarget {
    package let port: Int
    package var address: String { "127.0.0.1:\(port)" }

    package static func with<Result: Sendable>(
        host: String = "127.0.0.1", serve: @escaping @Sendable (inout TestConnection) async throws -> Void,
        _ body: @Sendable (TestTarget) async throws -> Result
    ) async throws -> Result {
        try await TestListener.with(
            try .makeAddressResolvingHost(host, port: 0), wrap: TestConnection.wrap,
            serve: { client in try await TestConnection.use(client, serve) }
        ) { listener in
            try await body(TestTarget(port: listener.localAddress?.port ?? 0))
        }
    }

    /// Sends back what it gets, then closes when the client does.
    @Sendable package static func echo(_ connection: inout TestConnection) async throws {
        while let bytes = try await connection.read() { try await connection.output.write(bytes) }
        connection.finish()
    }
}
