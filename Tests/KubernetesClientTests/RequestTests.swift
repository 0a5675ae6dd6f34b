import KubernetesAPI
import NIOCore
import Testing

@testable import KubernetesClient

@Suite struct RequestTests {
    @Test func paths() throws {
        #expect(ResourcePath.path(ConfigMap.resourceType, namespace: "n", name: "a") == "/api/v1/namespaces/n/configmaps/a")
        #expect(ResourcePath.path(ConfigMap.resourceType) == "/api/v1/configmaps")
        #expect(ResourcePath.path(Namespace.resourceType, namespace: "ignored", name: "n") == "/api/v1/namespaces/n")
        #expect(
            ResourcePath.path(Lease.resourceType, namespace: "n", name: "a", subresource: "status")
                == "/apis/coordination.k8s.io/v1/namespaces/n/leases/a/status")
        #expect(ResourcePath.path(Namespace.resourceType, name: "a/../b?c") == "/api/v1/namespaces/a%2F..%2Fb%3Fc")
        #expect(ResourcePath.path(Namespace.resourceType, name: "system:node") == "/api/v1/namespaces/system:node")
    }

    @Test func queries() {
        #expect(ResourcePath.query([]) == "")
        #expect(ResourcePath.query([("labelSelector", "a=b,c in (d,é)")]) == "?labelSelector=a%3Db%2Cc%20in%20%28d%2C%C3%A9%29")
    }

    @Test func `A request that cannot mean anything is refused before it is sent`() {
        #expect(throws: KubernetesError.self) { try APIRequest(.get, "get", ConfigMap.resourceType, namespace: nil, name: "a") }
        #expect(throws: KubernetesError.self) { try APIRequest(.get, "get", ConfigMap.resourceType, namespace: "n", name: "") }
        #expect(throws: KubernetesError.self) { try APIRequest(.post, "create", ConfigMap.resourceType, namespace: nil) }
        #expect(throws: Never.self) { try APIRequest(.get, "list", ConfigMap.resourceType, namespace: nil) }
        #expect(throws: Never.self) { try APIRequest(.get, "get", Namespace.resourceType, namespace: nil, name: "a") }
    }

    @Test func `Errors say what was tried on what, in Kubernetes' words`() throws {
        let request = try APIRequest(.get, "get", Lease.resourceType, namespace: "n", name: "a")
        let said =
            #"{"kind":"Status","status":"Failure","message":"leases.coordination.k8s.io \"a\" not found","reason":"NotFound","code":404}"#
        let error = try #require(APIAnswer(status: 404, body: ByteBuffer(string: said)).refusal(of: request))
        #expect(error.isNotFound)
        #expect("\(error)" == "cannot get leases.coordination.k8s.io n/a: leases.coordination.k8s.io \"a\" not found")
        let proxy = try #require(APIAnswer(status: 502, body: ByteBuffer(string: "<html>\u{1b}[31m\nbad")).refusal(of: request))
        #expect("\(proxy)" == "cannot get leases.coordination.k8s.io n/a: the server answered 502: <html> [31m bad")
        #expect(APIAnswer(status: 201, body: ByteBuffer()).refusal(of: request) == nil)
    }

    @Test(arguments: [
        (404, "NotFound", 0), (409, "Conflict", 1), (409, "AlreadyExists", 2), (403, "Forbidden", 3), (422, "Invalid", 4),
        (401, "Unauthorized", 5), (404, "", 0), (409, "", 1), (400, "BadRequest", nil),
    ])
    func reasons(code: Int, reason: String, expected: Int?) {
        let error = KubernetesError(
            code: .refused, verb: "get", object: "", status: Status(reason: reason, code: code), httpStatus: code)
        let answers = [
            error.isNotFound, error.isConflict, error.isAlreadyExists, error.isForbidden, error.isInvalid, error.isUnauthorized,
        ]
        #expect(answers.indices.filter { answers[$0] } == [expected].compactMap { $0 })
    }

    @Test func `The server may be checked under another name than it is reached at`() throws {
        var configuration = ClientConfiguration(
            server: "https://10.0.0.1:6443/prefix/", certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: nil,
            tlsServerName: "kubernetes")
        let endpoint = try Endpoint(configuration)
        #expect(endpoint.base == "https://kubernetes:6443/prefix")
        #expect(endpoint.addressOverride == ["kubernetes": "10.0.0.1"])
        #expect(endpoint.label == "10.0.0.1:6443")
        configuration.tlsServerName = nil
        configuration.server = "https://[fd00::1]"
        #expect(try Endpoint(configuration).base == "https://[fd00::1]:443")
        for bad in ["", "10.0.0.1:6443", "ftp://a", "https://"] {
            configuration.server = bad
            #expect(throws: KubernetesError.self) { try Endpoint(configuration) }
        }
    }
}
