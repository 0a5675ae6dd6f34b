import AsyncHTTPClient
import FoundationEssentials
import KubernetesAPI
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import PrometheusMetrics
import SystemPackage

/// A request that got no answer.
struct TransportFailure: Error {
    var error: KubernetesError
    /// It certainly did not reach the server.
    var unsent: Bool
}

/// Carries requests over one pool of connections, with the credentials of the moment.
final class Transport: Sendable {
    /// A page of 500 large objects fits; an answer without end does not.
    static let largestAnswer = 256 << 20

    let logger: Logger
    let metrics: RequestMetrics
    private let http: HTTPClient
    private let credentials: Credentials
    private let base: String
    private let userAgent: String
    private let timeouts: ClientTimeouts

    init(_ configuration: ClientConfiguration, userAgent: String, logger: Logger, metrics: MetricsRegistry) throws {
        let endpoint = try Endpoint(configuration)
        let tls = try TLSMaterial.base(for: configuration)
        // A pair that cannot be used is found here, where the configuration is at fault, and not at the first request.
        if case .pem(let certificate, let key) = configuration.identity.certificate, var probe = tls {
            try TLSMaterial.install(certificate: certificate, key: key, into: &probe)
        }
        self.base = endpoint.base
        self.userAgent = userAgent
        self.logger = logger
        self.timeouts = configuration.timeouts
        self.metrics = RequestMetrics(registry: metrics, host: endpoint.label)
        self.credentials = Credentials(identity: configuration.identity, base: tls)
        self.http = HTTPClient(
            eventLoopGroup: .singletonMultiThreadedEventLoopGroup,
            configuration: Self.httpConfiguration(endpoint, tls: tls, timeouts: configuration.timeouts))
    }

    deinit {
        // For an owner that did not call shutdown(): after it, this does nothing but report so to nobody.
        _ = http.shutdown() as EventLoopFuture<Void>
    }

    private static func httpConfiguration(
        _ endpoint: Endpoint, tls: TLSConfiguration?, timeouts: ClientTimeouts
    ) -> HTTPClient.Configuration {
        var http = HTTPClient.Configuration()
        http.tlsConfiguration = tls
        http.redirectConfiguration = .disallow
        // The read timeout is the client's as a whole: it has to let a quiet watch live. Requests have their own deadline.
        http.timeout = .init(connect: .init(timeouts.connect), read: .init(timeouts.watchSilence))
        // On HTTP/1 a watch occupies a connection, and the usual 8 would starve everything else.
        http.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        // Trying again is RetryPolicy's, which knows what failed; the pool's own would hide it until the connect timeout.
        http.connectionPool.retryConnectionEstablishment = false
        if let override = endpoint.addressOverride { http.dnsOverride = override }
        if let proxy = endpoint.proxy { http.proxy = .server(host: proxy.host, port: proxy.port) }
        http.http2ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                let handler = HTTP2KeepAlive(interval: .init(timeouts.pingInterval), timeout: .init(timeouts.pingTimeout))
                try channel.pipeline.syncOperations.addHandler(handler)
            }
        }
        return http
    }

    func use(_ identity: ClientIdentity) async { await credentials.replace(identity) }

    func shutdown() async {
        do {
            try await http.shutdown()
        } catch {
            logger.debug("closing connections", metadata: ["error": "\(error)"])
        }
    }

    /// One attempt (two, when the server refuses a credential and there is a newer one).
    func perform(_ request: APIRequest) async throws -> APIAnswer {
        let response = try await withDeadline(request) { [self] in
            let response = try await exchange(request)
            let body = try await collect(response, of: request)
            return APIAnswer(
                status: Int(response.status.code), retryAfter: Self.retryAfter(response.headers["retry-after"].first), body: body)
        }
        return response
    }

    /// Sends a request and returns when the head of the answer is there.
    func exchange(_ request: APIRequest) async throws -> HTTPClientResponse {
        let credential = try await credentials.get()
        let response = try await execute(request, credential)
        guard response.status == .unauthorized, try await credentials.refused(credential.generation) else { return response }
        // The body has to be taken off the connection before it can be used again.
        _ = try? await response.body.collect(upTo: 1 << 20)
        return try await execute(request, try await credentials.get())
    }

    private func execute(_ request: APIRequest, _ credential: Credentials.Current) async throws -> HTTPClientResponse {
        var outgoing = HTTPClientRequest(url: base + request.path + ResourcePath.query(request.query))
        outgoing.method = request.method.method
        outgoing.headers.add(name: "accept", value: "application/json")
        outgoing.headers.add(name: "user-agent", value: userAgent)
        if let authorization = credential.authorization { outgoing.headers.add(name: "authorization", value: authorization) }
        if let body = request.body {
            outgoing.headers.add(name: "content-type", value: request.contentType)
            outgoing.body = .bytes(body)
        }
        outgoing.tlsConfiguration = credential.tls
        let start = ContinuousClock.now
        do {
            let response = try await http.execute(outgoing, deadline: .now() + .init(request.limit ?? timeouts.request), logger: nil)
            metrics.answered(request.method, code: "\(response.status.code)", after: .now - start)
            return response
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            metrics.answered(request.method, code: "<error>", after: .now - start)
            throw TransportFailure(error, of: request, to: metrics.host)
        }
    }

    private func collect(_ response: HTTPClientResponse, of request: APIRequest) async throws -> ByteBuffer {
        do {
            return try await response.body.collect(upTo: Self.largestAnswer)
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            throw TransportFailure(error, of: request, to: metrics.host)
        }
    }

    /// The HTTP client's own deadline ends with the head of the answer; this one covers the body.
    private func withDeadline<Value: Sendable>(
        _ request: APIRequest, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let limit = request.limit ?? timeouts.request
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw TransportFailure(
                    error: request.error(.timedOut, detail: "no complete answer within \(limit)"), unsent: false)
            }
            return value
        }
    }

    /// Kubernetes writes seconds; a date, which HTTP allows too, comes from others and is left to backoff.
    static func retryAfter(_ header: String?) -> Duration? {
        guard let header, let seconds = Int(header), seconds >= 0 else { return nil }
        return .seconds(seconds)
    }
}

extension TransportFailure {
    init(_ cause: any Error, of request: APIRequest, to host: String) {
        switch cause {
        case let error as KubernetesError:
            self.init(error: error, unsent: true)
        case let error as TransportFailure:
            self = error
        case let error as HTTPClientError where error == .connectTimeout:
            self.init(error: request.error(.timedOut, detail: "no connection within the time allowed"), unsent: true)
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
            self.init(error: request.error(.timedOut, detail: "no answer within the time allowed"), unsent: false)
        case let error as HTTPClientError where error == .cancelled:
            // By nobody here: when it was to be sent, its connection was closing, as of an API server that goes.
            self.init(error: request.error(.unreachable, detail: "the connection to \(host) was closing"), unsent: true)
        case let error as NIOConnectionError:
            self.init(error: request.error(.unreachable, detail: Self.outline(error)), unsent: true)
        case let error as IOError where Self.beforeConnecting.contains(Errno(rawValue: error.errnoCode)):
            let reason = Errno(rawValue: error.errnoCode).description
            self.init(error: request.error(.unreachable, detail: "cannot connect to \(host): \(reason)"), unsent: true)
        case let error as IOError:
            let reason = Errno(rawValue: error.errnoCode).description
            self.init(error: request.error(.unreachable, detail: "the connection to \(host) failed: \(reason)"), unsent: false)
        case let error as NIOSSLError:
            self.init(error: request.error(.unreachable, detail: "TLS with \(host) failed: \(error)"), unsent: false)
        default:
            self.init(error: request.error(.unreachable, detail: "the connection to \(host) failed: \(cause)"), unsent: false)
        }
    }

    /// What connect(2) fails with.
    private static let beforeConnecting: Set<Errno> = [.connectionRefused, .noRouteToHost, .networkUnreachable, .networkDown]

    private static func outline(_ error: NIOConnectionError) -> String {
        if let dns = error.dnsAError ?? error.dnsAAAAError, error.connectionErrors.isEmpty {
            return "cannot resolve \(error.host): \(dns)"
        }
        let reasons = error.connectionErrors.map { attempt in
            (attempt.error as? IOError).map { Errno(rawValue: $0.errnoCode).description } ?? "\(attempt.error)"
        }
        return "cannot connect to \(error.host):\(error.port): \(Set(reasons).sorted().joined(separator: "; "))"
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let parts = duration.components
        self = .nanoseconds(parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000)
    }
}
