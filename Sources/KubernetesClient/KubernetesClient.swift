import AsyncHTTPClient
import KubernetesAPI
import Logging
import NIOCore
import PrometheusMetrics

/// Speaks to one Kubernetes API server, over one pool of connections (HTTP/2 where the server has it).
///
/// Failures are `KubernetesError`s. Throttled requests, and failed ones that may be repeated, are tried again with backoff.
public final class KubernetesClient: Sendable {
    public let configuration: ClientConfiguration
    let transport: Transport
    let retries: RetryPolicy

    public convenience init(_ configuration: ClientConfiguration, userAgent: String = "nestbox", logger: Logger) throws {
        try self.init(configuration, userAgent: userAgent, logger: logger, retries: .standard, metrics: .shared)
    }

    init(
        _ configuration: ClientConfiguration, userAgent: String, logger: Logger, retries: RetryPolicy, metrics: MetricsRegistry
    ) throws {
        self.configuration = configuration
        self.retries = retries
        transport = try Transport(configuration, userAgent: userAgent, logger: logger, metrics: metrics)
    }

    /// Runs `body` with a client of its own, which is shut down afterwards.
    public static func with<Result>(
        _ configuration: ClientConfiguration, userAgent: String = "nestbox", logger: Logger,
        isolation: isolated (any Actor)? = #isolation, _ body: (KubernetesClient) async throws -> Result
    ) async throws -> Result {
        let client = try KubernetesClient(configuration, userAgent: userAgent, logger: logger)
        do {
            let result = try await body(client)
            await client.shutdown()
            return result
        } catch {
            await client.shutdown()
            throw error
        }
    }

    /// Proves itself with another identity from now on, as with a certificate that was renewed; requests and watches under way go on.
    public func use(_ identity: ClientIdentity) async { await transport.use(identity) }

    /// Closes every connection; watches end. The client cannot be used afterwards.
    public func shutdown() async { await transport.shutdown() }

    /// Reads one object.
    public func get<T: KubernetesObject>(_ type: T.Type = T.self, _ name: String, namespace: String? = nil) async throws -> T {
        let request = try APIRequest(.get, "get", T.resourceType, namespace: namespace, name: name)
        return try await object(request)
    }

    /// Reads one object, nil when there is none.
    public func find<T: KubernetesObject>(_ type: T.Type = T.self, _ name: String, namespace: String? = nil) async throws -> T? {
        do {
            return try await get(type, name, namespace: namespace)
        } catch let error as KubernetesError where error.isNotFound {
            return nil
        }
    }

    /// Makes an object; `generateName` is for the server to complete.
    public func create<T: KubernetesObject>(_ object: T) async throws -> T {
        var request = try APIRequest(.post, "create", T.resourceType, namespace: object.namespace, label: object.key)
        try request.setBody(object.typed)
        return try await self.object(request)
    }

    /// Replaces an object; a conflict when it changed since its resourceVersion.
    public func update<T: KubernetesObject>(_ object: T) async throws -> T {
        try await replace(object, subresource: nil)
    }

    /// Replaces an object's status alone.
    public func updateStatus<T: KubernetesObject>(_ object: T) async throws -> T {
        try await replace(object, subresource: "status")
    }

    private func replace<T: KubernetesObject>(_ object: T, subresource: String?) async throws -> T {
        var request = try APIRequest(
            .put, "update", T.resourceType, namespace: object.namespace, name: object.name, subresource: subresource)
        try request.setBody(object.typed)
        // With a resourceVersion a repeated PUT fails with a conflict at worst; without, it writes the same again.
        return try await self.object(request)
    }

    /// Server-side apply: the fields that are set become (or stay) this manager's.
    public func apply<T: KubernetesObject>(
        _ object: T, fieldManager: String, force: Bool = true, dryRun: Bool = false
    ) async throws -> T {
        try await apply(object, fieldManager: fieldManager, force: force, dryRun: dryRun, subresource: nil)
    }

    /// Server-side apply of an object's status alone.
    public func applyStatus<T: KubernetesObject>(_ object: T, fieldManager: String, force: Bool = true) async throws -> T {
        try await apply(object, fieldManager: fieldManager, force: force, dryRun: false, subresource: "status")
    }

    private func apply<T: KubernetesObject>(
        _ object: T, fieldManager: String, force: Bool, dryRun: Bool, subresource: String?
    ) async throws -> T {
        var request = try APIRequest(
            .patch, "apply", T.resourceType, namespace: object.namespace, name: object.name, subresource: subresource)
        request.query = [("fieldManager", fieldManager), ("force", force ? "true" : "false")]
        if dryRun { request.query.append(("dryRun", "All")) }
        request.contentType = "application/apply-patch+yaml"
        request.repeatable = true
        try request.setBody(object.typed)
        return try await self.object(request)
    }

    /// Merges JSON into an object (RFC 7386): null removes a member.
    public func patch<T: KubernetesObject>(
        _ type: T.Type = T.self, _ name: String, namespace: String? = nil, merge: JSONValue, subresource: String? = nil
    ) async throws -> T {
        var request = try APIRequest(.patch, "patch", T.resourceType, namespace: namespace, name: name, subresource: subresource)
        request.contentType = "application/merge-patch+json"
        request.repeatable = true
        try request.setBody(merge)
        return try await object(request)
    }

    /// Asks for an object's deletion; with `uid`, of that very object and not of one made anew under its name.
    public func delete<T: KubernetesObject>(
        _ type: T.Type, _ name: String, namespace: String? = nil, uid: String? = nil,
        propagation: DeletionPropagation = .background, gracePeriodSeconds: Int? = nil
    ) async throws {
        var request = try APIRequest(.delete, "delete", T.resourceType, namespace: namespace, name: name)
        try request.setBody(
            DeleteOptions(
                apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: gracePeriodSeconds,
                propagationPolicy: propagation.rawValue, preconditions: uid.map { DeletePreconditions(uid: $0) }))
        _ = try await send(request)
    }

    /// A request on a subresource with JSON bodies: eviction, approval, scale, token.
    public func subresource<Body: Encodable & Sendable, T: KubernetesObject>(
        _ method: HTTPVerb, _ subresource: String, of type: T.Type, _ name: String, namespace: String?, body: Body?
    ) async throws -> JSONValue {
        var request = try APIRequest(
            method, method == .get ? "get" : "\(method.rawValue.lowercased()) to", T.resourceType, namespace: namespace, name: name,
            subresource: subresource)
        if method == .patch { request.contentType = "application/merge-patch+json" }
        if let body { try request.setBody(body) }
        return try await decode(JSONValue.self, of: request)
    }

    /// Any request. Answers that report a failure are returned, not thrown, and nothing is tried again.
    ///
    /// - Parameter limit: how long it may take, where that is not what the client gives to all.
    public func raw(
        _ method: HTTPVerb, path: String, query: [(String, String)] = [], body: JSONValue? = nil,
        contentType: String = "application/json", within limit: Duration? = nil
    ) async throws -> (status: Int, body: [UInt8]) {
        var request = APIRequest(method, path: path, query: query)
        request.limit = limit
        request.contentType = contentType
        if let body { try request.setBody(body) }
        do {
            let answer = try await transport.perform(request)
            return (answer.status, Array(answer.body.readableBytesView))
        } catch let failure as TransportFailure {
            throw failure.error
        }
    }
}

extension KubernetesClient {
    /// Sends a request that answers with one object.
    func object<T: KubernetesObject>(_ request: APIRequest) async throws -> T {
        try await decode(T.self, of: request).typed
    }

    func decode<Value: Decodable>(_ type: Value.Type, of request: APIRequest) async throws -> Value {
        let body = try await send(request)
        do {
            return try JSONCoding.decode(Value.self, from: body)
        } catch {
            throw request.error(.undecodable, detail: JSONCoding.outline(error, of: "\(Value.self)"))
        }
    }

    /// Sends a request, and again as the policy says; throws for every answer but a success.
    func send(_ request: APIRequest) async throws -> ByteBuffer {
        var backoff = Backoff(initial: retries.initial, factor: 2, limit: retries.limit)
        var attempt = 0
        while true {
            attempt += 1
            let failure: KubernetesError
            var unsent = false
            do {
                let answer = try await transport.perform(request)
                guard let refusal = answer.refusal(of: request) else { return answer.body }
                failure = refusal
            } catch let error as TransportFailure {
                (failure, unsent) = (error.error, error.unsent)
            }
            let decision = retries.decide(failure, attempt: attempt, repeatable: request.repeatable, unsent: unsent)
            guard case .retry(let after) = decision else { throw failure }
            transport.logger.debug("trying again", metadata: ["request": "\(request.verb) \(request.object)", "reason": "\(failure)"])
            try await Task.sleep(for: after ?? backoff.next())
        }
    }
}

extension KubernetesObject {
    /// The object with its type filled in, which lists leave out and the server demands.
    var typed: Self {
        var object = self
        object.apiVersion = object.apiVersion ?? Self.resourceType.apiVersion
        object.kind = object.kind ?? Self.resourceType.kind
        return object
    }
}
