import ControlPlane
import FoundationEssentials
import KubernetesAPI
import KubernetesClient

extension TestKubernetes {
    /// Runs `body` with a server of its own; everything it started is gone afterwards.
    public static func with<Value: Sendable>(
        extraArguments: [String] = [], _ body: @Sendable (TestKubernetes) async throws -> Value
    ) async throws -> Value {
        let binaries = try await TestBinaries.find()
        let directory = "\(FileManager.default.temporaryDirectory.path)/nestbox-test-\(UUID().uuidString.prefix(8).lowercased())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let authority = try CertificateAuthority(commonName: "test", lifetime: 3600 * 24, now: Date())
        let (client, peer, port) = (try await freePort(), try await freePort(), try await freePort())
        let cluster = TestKubernetes(
            server: "https://127.0.0.1:\(port)", etcd: "http://127.0.0.1:\(client)", binaries: binaries, directory: directory,
            authority: authority)
        try cluster.writeKeys()
        return try await SupervisedProcess.with(
            binaries.etcd, etcdArguments(directory, client: client, peer: peer), name: "etcd", in: directory
        ) {
            let arguments = cluster.apiServerArguments(port: port, etcd: client) + extraArguments
            return try await SupervisedProcess.with(binaries.apiServer, arguments, name: "kube-apiserver", in: directory) {
                try await cluster.waitUntilReady()
                return try await body(cluster)
            }
        }
    }

    private static func etcdArguments(_ directory: String, client: Int, peer: Int) -> [String] {
        [
            "--data-dir=\(directory)/etcd", "--listen-client-urls=http://127.0.0.1:\(client)",
            "--advertise-client-urls=http://127.0.0.1:\(client)", "--listen-peer-urls=http://127.0.0.1:\(peer)",
            "--initial-advertise-peer-urls=http://127.0.0.1:\(peer)", "--initial-cluster=default=http://127.0.0.1:\(peer)",
        ]
    }

    private func apiServerArguments(port: Int, etcd: Int) -> [String] {
        [
            "--etcd-servers=http://127.0.0.1:\(etcd)", "--bind-address=127.0.0.1", "--secure-port=\(port)",
            "--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none", "--tls-cert-file=\(directory)/server.crt",
            "--tls-private-key-file=\(directory)/server.key", "--client-ca-file=\(directory)/ca.crt",
            "--service-account-issuer=https://kubernetes.default.svc", "--service-account-key-file=\(directory)/sa.pub",
            "--service-account-signing-key-file=\(directory)/sa.key", "--service-cluster-ip-range=10.96.0.0/16",
            "--authorization-mode=RBAC", "--token-auth-file=\(directory)/tokens.csv",
            // No controller-manager makes the default ServiceAccounts, which pods would wait for.
            "--disable-admission-plugins=ServiceAccount", "--cert-dir=\(directory)",
        ]
    }

    private func writeKeys() throws {
        let serving = try authority.issue(
            CertificateRequest(
                commonName: "kube-apiserver", dnsNames: ["localhost", "test.example"], ipAddresses: ["127.0.0.1"], usages: [.server],
                lifetime: 3600 * 24), now: Date())
        let account = ServiceAccountKey()
        let files = [
            "ca.crt": authority.certificatePEM, "server.crt": serving.certificatePEM, "server.key": serving.keyPEM,
            "sa.key": account.privatePEM, "sa.pub": account.publicPEM, "tokens.csv": "\(Self.token),token-admin,1,\"system:masters\"\n",
        ]
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)")) }
    }

    /// A bearer token of an admin of this server, which lives as long as the test.
    public static let token = "test-token-of-an-admin"

    private func waitUntilReady() async throws {
        let deadline = ContinuousClock.now + .seconds(90)
        try await withClient { client in
            while true {
                let answer = try? await client.raw(.get, path: "/readyz")
                if answer?.status == 200, (try? await client.get(Namespace.self, "default")) != nil { return }
                for name in ["etcd", "kube-apiserver"] where !isRunning(name) {
                    throw TestKubernetesError("\(name) ended; its last words:\n\(SupervisedProcess.lastWords(name, in: directory))")
                }
                guard .now < deadline else {
                    throw TestKubernetesError(
                        "kube-apiserver is not ready after 90 s; its last words:\n"
                            + SupervisedProcess.lastWords("kube-apiserver", in: directory))
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// True also before it could write its pid.
    private func isRunning(_ name: String) -> Bool {
        guard let pid = try? processID(name) else { return true }
        guard let stat = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return false }
        return !String(decoding: stat, as: UTF8.self).contains(") Z ")
    }
}
