import KubernetesAPI
import NIOCore

/// One request before it is sent, with the words that its errors use.
struct APIRequest: Sendable {
    var method: HTTPVerb
    /// What it does, for errors and logs.
    var verb: String
    /// What it does it to.
    var object: String
    var path: String
    var query: [(String, String)] = []
    var contentType = "application/json"
    var body: ByteBuffer?
    /// It may arrive twice without harm.
    var repeatable: Bool
    /// How long one attempt may take, where that is not what the client gives to all.
    var limit: Duration?

    init(_ method: HTTPVerb, path: String, query: [(String, String)]) {
        self.method = method
        self.path = path
        self.query = query
        verb = method.rawValue
        object = path
        repeatable = method == .get
    }

    /// A request on one object or, without a name, on a collection.
    init(
        _ method: HTTPVerb, _ verb: String, _ type: ResourceType, namespace: String?, name: String? = nil,
        subresource: String? = nil, label: String? = nil
    ) throws {
        let key = name.map { name in (namespace.map { "\($0)/" } ?? "") + name }
        let target = subresource.map { "\(type)/\($0)" } ?? "\(type)"
        object = (label ?? key).map { "\(target) \($0)" } ?? (namespace.map { "\(target) in \($0)" } ?? target)
        self.method = method
        self.verb = verb
        path = ResourcePath.path(type, namespace: namespace, name: name, subresource: subresource)
        repeatable = method == .get || method == .delete || method == .put
        if let name, name.isEmpty { throw error(.malformedRequest, detail: "its name is empty") }
        // The server takes %2F for a slash too, and what follows it for a subresource.
        for part in [name, namespace].compactMap(\.self) where part.contains(where: { "/%".contains($0) }) || part == "." || part == ".." {
            throw error(.malformedRequest, detail: "\"\(part)\" is no name: a name has no / and no %")
        }
        // Of a namespaced kind, only lists and watches go across namespaces.
        guard type.namespaced, method != .get || name != nil else { return }
        guard let namespace, !namespace.isEmpty else { throw error(.malformedRequest, detail: "it needs a namespace") }
    }

    mutating func setBody(_ value: some Encodable) throws {
        do {
            body = ByteBuffer(bytes: try JSONCoding.encode(value))
        } catch {
            throw self.error(.malformedRequest, detail: JSONCoding.outline(error, of: "\(type(of: value))"))
        }
    }

    func error(_ code: KubernetesError.Code, detail: String? = nil) -> KubernetesError {
        KubernetesError(code: code, verb: verb, object: object, detail: detail)
    }
}

/// What a server answered to a request, whole.
struct APIAnswer: Sendable {
    var status: Int
    var retryAfter: Duration?
    var body: ByteBuffer

    /// The answer as an error; nil for a success.
    func refusal(of request: APIRequest) -> KubernetesError? {
        guard !(200...299).contains(status) else { return nil }
        return Self.refusal(of: request, status: status, retryAfter: retryAfter, body: body)
    }

    static func refusal(of request: APIRequest, status: Int, retryAfter: Duration?, body: ByteBuffer) -> KubernetesError {
        var error = request.error(status == 410 ? .expired : .refused)
        error.httpStatus = status
        if let said = try? JSONCoding.decode(Status.self, from: body), said.kind == "Status" || said.message != nil {
            error.status = said
        } else {
            // Not Kubernetes' own answer, perhaps a proxy's: its first words, bounded and on one line.
            let text = String(decoding: body.readableBytesView.prefix(200), as: UTF8.self)
            let line = String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) })
            error.detail = "the server answered \(status)" + (line.isEmpty ? "" : ": \(line)")
        }
        error.retryAfter = retryAfter ?? error.status?.details?.retryAfterSeconds.flatMap { $0 > 0 ? .seconds($0) : nil }
        return error
    }
}
