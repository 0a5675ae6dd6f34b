import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL
import TestTunnel
import Testing

@testable import Tunnel

/// One gRPC call of a test's, a packet at a time: an agent's, a server's or kube-apiserver's.
struct ScriptedCall: Sendable {
    enum Event: Sendable, Equatable {
        case headers([String: String])
        case packet(KonnectivityPacket)
        case ended(GRPCStatus?)
        case closed
    }

    struct Unexpected: Error {
        var event: Event?
    }

    let stream: any Channel
    let events: AsyncStream<Event>
    private let packets: NIOLoopBound<PacketChannel>

    /// On the stream's event loop.
    init(on stream: any Channel, opening: HPACKHeaders? = nil) throws {
        self.stream = stream
        let (events, arrivals) = AsyncStream.makeStream(of: Event.self)
        self.events = events
        let packets = PacketChannel(opening: opening) { event in
            switch event {
            case .headers(let headers):
                arrivals.yield(.headers(Dictionary(headers.map { ($0.name, $0.value) }) { first, _ in first }))
            case .packet(let packet): arrivals.yield(.packet(packet))
            case .ended(let status): arrivals.yield(.ended(status))
            case .closed:
                arrivals.yield(.closed)
                arrivals.finish()
            case .readCompleted, .writable: break
            }
        }
        self.packets = NIOLoopBound(packets, eventLoop: stream.eventLoop)
        try stream.pipeline.syncOperations.addHandler(packets)
    }

    func send(_ sent: KonnectivityPacket...) { onLoop { for packet in sent { $0.send(packet) } } }
    func answer(_ metadata: [(String, String)]) { onLoop { $0.answer(GRPCHeaders.answer(metadata: metadata)) } }
    /// Reads nothing more.
    func hold() { onLoop { $0.hold() } }

    func write(_ bytes: [UInt8]) {
        let payload = HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(ByteBuffer(bytes: bytes))))
        stream.writeAndFlush(payload, promise: nil)
    }

    private func onLoop(_ body: @escaping @Sendable (PacketChannel) -> Void) { stream.eventLoop.execute { body(packets.value) } }

    func next() async -> Event? {
        var iterator = events.makeAsyncIterator()
        return await iterator.next()
    }

    /// The next packet; anything else is not what was expected.
    func packet() async throws -> KonnectivityPacket {
        let event = await next()
        guard case .packet(let packet) = event else { throw Unexpected(event: event) }
        return packet
    }

    func expect(_ expected: KonnectivityPacket, at location: SourceLocation = #_sourceLocation) async throws {
        let packet = try await packet()
        #expect(packet == expected, sourceLocation: location)
    }

    // MARK: Making calls

    /// Calls a server over TLS, as upstream's agent does; without `files` it shows no certificate.
    static func agent<Result: Sendable>(
        port: Int, files: TLSFiles, metadata: [(String, String)], path: String = KonnectivityProtocol.agentPath,
        _ body: @Sendable (ScriptedCall) async throws -> Result
    ) async throws -> Result {
        let tls = try files.clientContext(speaking: ["h2"])
        return try await call(path: path, metadata: metadata, body) { initializer in
            try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            try NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                        try initializer(channel)
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
        }
    }

    /// Calls as kube-apiserver does.
    static func client<Result: Sendable>(
        _ socket: String, path: String = KonnectivityProtocol.frontPath, _ body: @Sendable (ScriptedCall) async throws -> Result
    ) async throws -> Result {
        try await call(path: path, metadata: [], body) { initializer in
            try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in channel.eventLoop.makeCompletedFuture { try initializer(channel) } }
                .connect(unixDomainSocketPath: socket).get()
        }
    }

    private static func call<Result: Sendable>(
        path: String, metadata: [(String, String)], _ body: @Sendable (ScriptedCall) async throws -> Result,
        connect: (@escaping @Sendable (any Channel) throws -> Void) async throws -> any Channel
    ) async throws -> Result {
        let opening = GRPCHeaders.request(path: path, authority: "localhost", metadata: metadata)
        let (calls, made) = AsyncThrowingStream.makeStream(of: ScriptedCall.self, throwing: (any Error).self)
        let connection = try await connect { channel in
            let multiplexer = try HTTP2Ends.install(
                on: channel, mode: .client, patience: nil,
                onEvent: { if case .closed(let error) = $0 { made.finish(throwing: error ?? ChannelError.ioOnClosedChannel) } },
                inboundStream: { _ in })
            multiplexer.createStreamChannel(promise: nil) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.syncOptions?.setOption(.autoRead, value: false)
                    made.yield(try ScriptedCall(on: stream, opening: opening))
                }
            }
        }
        var iterator = calls.makeAsyncIterator()
        let result: Swift.Result<Result, any Error>
        do {
            let call = try #require(try await iterator.next())
            result = .success(try await body(call))
        } catch {
            result = .failure(error)
        }
        try? await connection.close()
        return try result.get()
    }
}

/// A proxy-server of a test's: TLS, and each `AgentService/Connect` call handed out.
struct ScriptedServer: Sendable {
    let port: Int
    let calls: AsyncStream<ScriptedCall>

    static func with<Result: Sendable>(
        files: TLSFiles, _ body: @Sendable (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let (calls, made) = AsyncStream.makeStream(of: ScriptedCall.self)
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let server = try await eventLoop.flatSubmit {
            TLSListener(tls: files, speaking: ["h2"], watermark: SocketEnd.watermark, logger: TunnelFixture.logger("scripted")) {
                channel, _, _ in
                _ = try HTTP2Ends.install(
                    on: channel, mode: .server, patience: nil, onEvent: { _ in },
                    inboundStream: { made.yield(try ScriptedCall(on: $0)) })
            }.bind(host: "127.0.0.1", port: 0, on: eventLoop)
        }.get()
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(ScriptedServer(port: server.localAddress?.port ?? 0, calls: calls)))
        } catch {
            result = .failure(error)
        }
        try? await server.close()
        return try result.get()
    }
}
