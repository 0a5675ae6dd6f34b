import ControlPlane
import FoundationEssentials
import Glibc
import KubernetesAPI
import KubernetesClient
import Logging

/// A real kube-apiserver with an etcd of its own, on loopback, for integration tests.
///
/// Suites ask for it with the trait `.kubernetes`; its tests then find it in `TestKubernetes.current()`. All suites of a run
/// share one, so tests keep to a namespace of their own.
public struct TestKubernetes: Sendable {
    public let server: String
    /// etcd's, on plain HTTP.
    public let etcd: String
    public let binaries: TestBinaries
    /// Logs, keys and etcd's data; gone at the end.
    public let directory: String
    public let authority: CertificateAuthority

    @TaskLocal static var scoped: TestKubernetes?

    /// The one of the suite that this runs in.
    public static func current() throws -> TestKubernetes {
        guard let scoped else { throw TestKubernetesError("no API server here: the suite lacks the trait .kubernetes") }
        return scoped
    }

    /// Credentials of a user; of one who may do everything, unless groups are given.
    public func configuration(
        user: String = "admin", groups: [String] = ["system:masters"]
    ) throws -> ClientConfiguration {
        let certificate = try clientCertificate(user: user, groups: groups)
        return ClientConfiguration(
            server: server, certificateAuthority: authority.certificatePEM, clientCertificate: certificate.certificatePEM,
            clientKey: certificate.keyPEM, token: nil)
    }

    public func clientCertificate(user: String, groups: [String]) throws -> IssuedCertificate {
        try authority.issue(
            CertificateRequest(commonName: user, organizations: groups, usages: [.client], lifetime: 3600 * 24), now: Date())
    }

    /// Runs `body` with a client of its own, shut down at the end.
    public func withClient<Result>(
        _ configuration: ClientConfiguration? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (KubernetesClient) async throws -> Result
    ) async throws -> Result {
        try await KubernetesClient.with(configuration ?? self.configuration(), logger: .quiet, body)
    }

    /// Makes a namespace that no other test uses. It goes with the server.
    public func makeNamespace(_ client: KubernetesClient) async throws -> String {
        var namespace = Namespace(metadata: ObjectMeta())
        namespace.metadata.generateName = "test-"
        return try await client.create(namespace).name
    }

    /// Has etcd forget all versions before this one, as it does every five minutes.
    public func compact(to version: Int) async throws {
        let configuration = ClientConfiguration(
            server: etcd, certificateAuthority: nil, clientCertificate: nil, clientKey: nil, token: nil)
        try await withClient(configuration) { client in
            let answer = try await client.raw(
                .post, path: "/v3/kv/compaction", body: ["revision": .string("\(version)"), "physical": true])
            guard answer.status == 200 else {
                throw TestKubernetesError("etcd does not compact: \(String(decoding: answer.body, as: UTF8.self))")
            }
        }
    }

    /// Stops the API server in its tracks, connections open: what a half-dead one looks like.
    public func freeze() throws { try signal("kube-apiserver", SIGSTOP) }

    /// Lets a frozen API server go on.
    public func thaw() throws { try signal("kube-apiserver", SIGCONT) }
}

/// Why there is no API server to test with.
public struct TestKubernetesError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension Logger {
    /// For what a test does not want to see.
    public static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
