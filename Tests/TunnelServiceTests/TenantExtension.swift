import Foundation
import KubernetesAPI
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Tunnel

/// An HTTPS server of a tenant's: an admission webhook at `/admit`, an extension API at `/apis/...`, and what a kubelet would say
/// elsewhere.
struct TenantExtension: Sendable {
    static let apiVersion = "sample.nestbox.test/v1"
    let port: Int

    static func with<Result: Sendable>(files: TLSFiles, _ body: @Sendable (TenantExtension) async throws -> Result) async throws -> Result {
        let context = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(files.certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: files.key, format: .pem))))
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler())
                }
            }
            .bind(host: "0.0.0.0", port: 0).get()
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(TenantExtension(port: server.localAddress?.port ?? 0)))
        } catch {
            result = .failure(error)
        }
        try await server.close()
        return try result.get()
    }

    /// What is answered to a request.
    static func answer(_ path: String, _ body: [UInt8]) throws -> JSONValue {
        if path.hasPrefix("/admit") {
            let review = try JSONDecoder().decode(JSONValue.self, from: Data(body))
            let labels = review["request"]?["object"]?["metadata"]?["labels"]
            return [
                "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
                "response": [
                    "uid": review["request"]?["uid"] ?? .null, "allowed": .bool(labels?["denied"] == nil),
                    "status": ["message": "the tenant's webhook denies it"],
                ],
            ]
        }
        if path.hasPrefix("/apis/\(apiVersion)/things") { return ["kind": "ThingList", "apiVersion": .string(apiVersion), "items": []] }
        if path.hasPrefix("/apis") {
            return [
                "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": .string(apiVersion),
                "resources": [["name": "things", "singularName": "", "namespaced": false, "kind": "Thing", "verbs": ["get", "list"]]],
            ]
        }
        return ["path": .string(path)]
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private var path = ""
        private var body: [UInt8] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                path = head.uri
                body = []
            case .body(let part): body += part.readableBytesView
            case .end:
                guard let answer = try? TenantExtension.answer(path, body) else { return context.close(promise: nil) }
                let text = ByteBuffer(string: answer.prettyText)
                let headers: HTTPHeaders = ["Content-Type": "application/json", "Content-Length": "\(text.readableBytes)"]
                context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
