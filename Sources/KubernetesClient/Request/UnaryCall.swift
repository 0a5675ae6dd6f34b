import AsyncHTTPClient
import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import NIOSSL

/// Calls by gRPC, a message there and a message back, each over a connection of its own.
///
/// For an etcd with users: its JSON gateway turns away whoever says by his certificate who he is (etcd docs, "gRPC gateway").
public struct UnaryCall: Sendable {
    /// The answer of a server that did not do what was asked.
    public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        /// As gRPC counts them: 7 is "permission denied".
        public var code: Int
        /// The server's own.
        public var words: String

        public init(code: Int, words: String) {
            self.code = code
            self.words = words
        }

        public var description: String { words.isEmpty ? "gRPC status \(code)" : words }
    }

    private let endpoint: Endpoint
    private let timeouts: ClientTimeouts
    private let tls: NIOSSLContext

    /// - Parameter configuration: of an https server. Of its timeouts those to connect and of a request count.
    public init(_ configuration: ClientConfiguration) throws {
        endpoint = try Endpoint(configuration)
        timeouts = configuration.timeouts
        guard var tls = try TLSMaterial.base(for: configuration) else {
            throw ClientConfiguration.unusable("the server \(configuration.server) is not an https URL")
        }
        if case .pem(let certificate, let key) = configuration.identity.certificate {
            try TLSMaterial.install(certificate: certificate, key: key, into: &tls)
        }
        tls.applicationProtocols = ["h2"]
        do {
            self.tls = try NIOSSLContext(configuration: tls)
        } catch {
            // Its words may quote what it was given.
            throw KubernetesError(
                code: .configuration, verb: "use", object: "the client certificate", detail: "it does not go with its key")
        }
    }

    /// - Parameter method: such as `etcdserverpb.KV/Range`.
    /// - Throws: `Refusal`, or `KubernetesError` where there was no answer.
    public func send(_ message: [UInt8], to method: String) async throws -> [UInt8] {
        do {
            return try await exchange(message, method)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            try Task.checkCancellation()
            throw TransportFailure(error, of: APIRequest(.post, path: "/\(method)", query: []), to: endpoint.label).error
        }
    }

    private func exchange(_ message: [UInt8], _ method: String) async throws -> [UInt8] {
        let loop = MultiThreadedEventLoopGroup.singleton.any()
        let answer = loop.makePromise(of: [UInt8].self)
        let channel: any Channel
        do {
            channel = try await connect(on: loop, answer)
        } catch {
            answer.fail(error)
            throw error
        }
        let deadline = loop.scheduleTask(in: TimeAmount(timeouts.request)) { answer.fail(HTTPClientError.deadlineExceeded) }
        let headers = headers(method)
        let body = Self.framed(message)
        return try await withTaskCancellationHandler {
            loop.execute {
                do {
                    let http2 = try channel.pipeline.syncOperations.handler(type: NIOHTTP2Handler.self)
                    let opened = loop.makePromise(of: (any Channel).self)
                    opened.futureResult.whenFailure { answer.fail($0) }
                    try http2.syncMultiplexer().createStreamChannel(promise: opened) { stream in
                        stream.eventLoop.makeCompletedFuture {
                            try stream.pipeline.syncOperations.addHandler(CallHandler(headers, body, answer))
                        }
                    }
                } catch {
                    answer.fail(error)
                }
            }
            defer {
                deadline.cancel()
                channel.close(promise: nil)
            }
            return try await answer.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// TLS goes on behind it: what is written waits for it, and `answer` hears of its failure.
    private func connect(on loop: any EventLoop, _ answer: EventLoopPromise<[UInt8]>) async throws -> any Channel {
        let (tls, host) = (tls, endpoint.host)
        // A certificate is held to an address by where the connection leads; as a name it may not be sent (RFC 6066, section 3).
        let name = (try? SocketAddress(ipAddress: host, port: 0)) == nil ? host : nil
        return try await ClientBootstrap(group: loop)
            .connectTimeout(TimeAmount(timeouts.connect))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let http2 = NIOHTTP2Handler(
                        mode: .client, eventLoop: channel.eventLoop, connectionConfiguration: .init(), streamConfiguration: .init()
                    ) { $0.eventLoop.makeSucceededVoidFuture() }
                    try channel.pipeline.syncOperations.addHandlers([
                        try NIOSSLClientHandler(context: tls, serverHostname: name), http2, EndHandler(answer),
                    ])
                }
            }
            .connect(host: host, port: endpoint.port).get()
    }

    private func headers(_ method: String) -> HPACKHeaders {
        [
            ":method": "POST", ":scheme": "https", ":path": "/\(method)", ":authority": endpoint.label, "te": "trailers",
            "content-type": "application/grpc", "user-agent": "nestbox",
        ]
    }

    /// Not compressed, its length before it.
    private static func framed(_ message: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(message.count))
        buffer.writeBytes(message)
        return buffer
    }
}

/// Sends the one message on its stream, and takes the one answer.
private final class CallHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private static let largestAnswer = 4 << 20

    private let headers: HPACKHeaders
    private let message: ByteBuffer
    private let answer: EventLoopPromise<[UInt8]>
    private var said = HPACKHeaders()
    private var received = ByteBuffer()

    init(_ headers: HPACKHeaders, _ message: ByteBuffer, _ answer: EventLoopPromise<[UInt8]>) {
        self.headers = headers
        self.message = message
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(message), endStream: true))), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let part):
            said.add(contentsOf: part.headers)
            if part.endStream { finish() }
        case .data(let part):
            if case .byteBuffer(var bytes) = part.data { received.writeBuffer(&bytes) }
            guard received.readableBytes <= Self.largestAnswer else {
                return answer.fail(UnaryCall.Refusal(code: 8, words: "the answer is too large"))
            }
            if part.endStream { finish() }
        default: break
        }
    }

    private func finish() {
        let status = said.first(name: "grpc-status").flatMap { Int($0) }
        guard status == 0 else {
            let words =
                said.first(name: "grpc-message") ?? (status == nil ? "HTTP \(said.first(name: ":status") ?? "without a status")" : "")
            return answer.fail(UnaryCall.Refusal(code: status ?? 2, words: words))
        }
        guard let isCompressed = received.readInteger(as: UInt8.self), isCompressed == 0,
            let length = received.readInteger(as: UInt32.self), let bytes = received.readBytes(length: Int(length))
        else { return answer.fail(UnaryCall.Refusal(code: 13, words: "the answer holds no whole message")) }
        answer.succeed(bytes)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { answer.fail(error) }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(HTTPClientError.remoteConnectionClosed) }
}

/// Last of the connection: hears why it ends.
private final class EndHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let answer: EventLoopPromise<[UInt8]>

    init(_ answer: EventLoopPromise<[UInt8]>) { self.answer = answer }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        answer.fail(error)
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { answer.fail(HTTPClientError.remoteConnectionClosed) }
}
