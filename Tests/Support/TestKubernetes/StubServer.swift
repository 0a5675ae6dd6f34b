import ControlPlane
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization
import TestListener

/// An HTTP/1 server on loopback that answers as a test tells it to, faults included that a real API server does not produce.
public final class StubServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        public var path: String
        public var query: [String: String]
        public var headers: [String: String]
        public var body: String

        public var isWatch: Bool { query["watch"] == "true" }
    }

    /// What the server does, one after the other.
    public enum Step: Sendable {
        /// A whole answer.
        case answer(Int, headers: [String: String] = [:], String)
        /// The head of an answer whose body follows in parts.
        case head(Int = 200)
        /// One chunk, sent by itself.
        case chunk([UInt8])
        /// Chunks of one mebibyte, as many as the client takes.
        case flood(mebibytes: Int)
        /// Nothing, until the connection or the test ends.
        case silence
        /// The end of the body.
        case end
        /// The connection closed, whatever was sent before.
        case cut

        public static func line(_ text: String) -> Step { .chunk(Array((text + "\n").utf8)) }
    }

    private struct State {
        var port = 0
        var requests: [Request] = []
        var flooded = 0
    }

    private let scheme: String
    private let state = Mutex(State())
    private let answer: @Sendable (Request, Int) -> [Step]

    public var port: Int { state.withLock { $0.port } }
    public var url: String { "\(scheme)://127.0.0.1:\(port)" }
    public var requests: [Request] { state.withLock { $0.requests } }
    /// How many mebibytes of a flood were sent.
    public var flooded: Int { state.withLock { $0.flooded } }

    private init(scheme: String, answer: @escaping @Sendable (Request, Int) -> [Step]) {
        self.scheme = scheme
        self.answer = answer
    }

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// Runs `body` beside a server, over TLS where it is given a certificate. `answer` gets each request and how many came before it.
    public static func with<Value: Sendable>(
        certificate: IssuedCertificate? = nil, _ answer: @escaping @Sendable (Request, Int) -> [Step],
        _ body: @escaping @Sendable (StubServer) async throws -> Value
    ) async throws -> Value {
        let tls = try certificate.map { try Self.context($0) }
        let server = StubServer(scheme: tls == nil ? "http" : "https", answer: answer)
        return try await TestListener.with(
            try SocketAddress(ipAddress: "127.0.0.1", port: 0),
            wrap: { channel in
                if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
                return try Connection(wrappingChannelSynchronously: channel)
            },
            serve: server.serve
        ) { listener in
            server.state.withLock { $0.port = listener.localAddress?.port ?? 0 }
            return try await body(server)
        }
    }

    private static func context(_ certificate: IssuedCertificate) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificatePEM.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(certificate.keyPEM.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    }

    private func serve(_ connection: Connection) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var head: HTTPRequestHead?
            var body = ByteBuffer()
            for try await part in inbound {
                switch part {
                case .head(let received): (head, body) = (received, ByteBuffer())
                case .body(var bytes): body.writeBuffer(&bytes)
                case .end:
                    guard let head else { continue }
                    let request = Request(head, body)
                    let before = state.withLock { state in
                        defer { state.requests.append(request) }
                        return state.requests.count
                    }
                    for step in answer(request, before) {
                        guard try await perform(step, outbound, connection.channel) else { return }
                    }
                }
            }
        }
    }

    /// False when the connection is over.
    private func perform(
        _ step: Step, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>, _ channel: any Channel
    ) async throws -> Bool {
        switch step {
        case .answer(let status, let headers, let text):
            var fields = HTTPHeaders(headers.map { ($0.key, $0.value) })
            fields.add(name: "content-length", value: "\(text.utf8.count)")
            try await outbound.write(.head(.init(version: .http1_1, status: .init(statusCode: status), headers: fields)))
            try await outbound.write(.body(.byteBuffer(ByteBuffer(string: text))))
            try await outbound.write(.end(nil))
        case .head(let status):
            let headers: HTTPHeaders = ["transfer-encoding": "chunked"]
            try await outbound.write(.head(.init(version: .http1_1, status: .init(statusCode: status), headers: headers)))
        case .chunk(let bytes): try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
        case .flood(let mebibytes):
            let chunk = ByteBuffer(repeating: UInt8(ascii: " "), count: 1 << 20)
            for _ in 0..<mebibytes {
                try await channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(chunk)))
                state.withLock { $0.flooded += 1 }
            }
        case .silence:
            try await Task.sleep(for: .seconds(3600))
            return false
        case .end: try await outbound.write(.end(nil))
        case .cut:
            try? await channel.close()
            return false
        }
        return true
    }
}

extension StubServer.Request {
    init(_ head: HTTPRequestHead, _ body: ByteBuffer) {
        let parts = head.uri.split(separator: "?", maxSplits: 1).map(String.init)
        var query: [String: String] = [:]
        for item in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
            let pair = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            query[pair[0]] = pair.count > 1 ? pair[1] : ""
        }
        self.init(
            method: head.method.rawValue, path: parts.first ?? "", query: query,
            headers: Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { first, _ in first }),
            body: String(buffer: body))
    }
}
