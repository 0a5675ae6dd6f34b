import KubernetesAPI

/// A request to a Kubernetes API that did not do what it was meant to.
public struct KubernetesError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, for code; `description` says it to people.
    public enum Code: Sendable, Equatable {
        /// The API server refused, and `status` says why.
        case refused
        /// The resource version is older than what the server keeps (410): list again.
        case expired
        /// No connection, or it broke.
        case unreachable
        /// No answer within the time allowed.
        case timedOut
        /// The answer was not what this client understands.
        case undecodable
        /// The request could not be formed: a missing name or namespace, an object that does not encode.
        case malformedRequest
        /// Credentials could not be had: a token file that is gone, an exec plugin that failed.
        case credentials
        /// A kubeconfig or in-cluster identity that cannot be used.
        case configuration
    }

    public var code: Code
    /// What was tried, such as `get` or `watch`.
    public var verb: String
    /// What it was tried on, such as `deployments.apps default/web`.
    public var object: String
    /// Kubernetes' own words, when it had any.
    public var status: Status?
    public var httpStatus: Int?
    /// What came back, or what stood in the way, when there is no Status.
    public var detail: String?
    /// How long the server asked to wait.
    public var retryAfter: Duration?

    public init(
        code: Code, verb: String, object: String, status: Status? = nil, httpStatus: Int? = nil, detail: String? = nil,
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.verb = verb
        self.object = object
        self.status = status
        self.httpStatus = httpStatus
        self.detail = detail
        self.retryAfter = retryAfter
    }

    public var isNotFound: Bool { reason("NotFound", or: 404) }
    /// The object changed since it was read, or a field belongs to another manager.
    public var isConflict: Bool { httpStatus == 409 && !isAlreadyExists }
    public var isAlreadyExists: Bool { status?.reason == "AlreadyExists" }
    public var isForbidden: Bool { reason("Forbidden", or: 403) }
    public var isUnauthorized: Bool { reason("Unauthorized", or: 401) }
    public var isInvalid: Bool { reason("Invalid", or: 422) }
    public var isExpired: Bool { code == .expired }
    public var isThrottled: Bool { httpStatus == 429 }
    /// Neither the object nor the request is at fault: the same request may succeed later.
    public var isTransient: Bool {
        switch code {
        case .unreachable, .timedOut: true
        default: httpStatus == 429 || (500...599).contains(httpStatus ?? 0)
        }
    }

    private func reason(_ reason: String, or code: Int) -> Bool {
        if let said = status?.reason, !said.isEmpty { return said == reason }
        return httpStatus == code
    }

    public var description: String {
        let what = object.isEmpty ? verb : "\(verb) \(object)"
        if let message = status?.message, !message.isEmpty { return "cannot \(what): \(message)" }
        if let detail { return "cannot \(what): \(detail)" }
        if let httpStatus { return "cannot \(what): the server answered \(httpStatus)" }
        return "cannot \(what)"
    }
}

/// Runs `body` again as long as it fails with a conflict: the caller reads, changes and writes the object inside it.
public func retryOnConflict<Result>(
    attempts: Int = 5, _ body: () async throws -> Result
) async throws -> Result {
    var backoff = Backoff(initial: .milliseconds(10), factor: 3, limit: .seconds(1))
    for _ in 1..<max(attempts, 1) {
        do {
            return try await body()
        } catch let error as KubernetesError where error.isConflict {
            try await Task.sleep(for: backoff.next())
        }
    }
    return try await body()
}
