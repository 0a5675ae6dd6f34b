import ControlPlane
import FoundationEssentials
import Glibc
import NIOSSL
import TestKubernetes
import Testing

@testable import KubernetesClient

@Suite struct CredentialsTests {
    private func write(_ text: String, _ path: String, executable: Bool = false) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        if executable { try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path) }
    }

    @Test func `A token file is read again, and what it gave last is used while it is away`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/token"
            let credentials = Credentials(identity: ClientIdentity(token: .file(path)), base: nil, fileLifetime: .zero)
            await #expect(throws: KubernetesError.self) { try await credentials.get() }
            try write("one\n", path)
            let first = try await credentials.get()
            #expect(first.authorization == "Bearer one")
            #expect(try await credentials.get().generation == first.generation)
            try write("two", path)
            let second = try await credentials.get()
            #expect(second.authorization == "Bearer two")
            #expect(second.generation != first.generation)
            try FileManager.default.removeItem(atPath: path)
            #expect(try await credentials.get().authorization == "Bearer two")
        }
    }

    @Test func `An identity that is replaced is used from then on, also by who was refused with the one before`() async throws {
        let credentials = Credentials(identity: ClientIdentity(token: .fixed("one")), base: nil)
        let first = try await credentials.get()
        #expect(try await !credentials.refused(first.generation))
        await credentials.replace(ClientIdentity(token: .fixed("two")))
        #expect(try await credentials.refused(first.generation))
        let second = try await credentials.get()
        #expect(second.authorization == "Bearer two" && second.generation != first.generation)
        #expect(try await credentials.refused(first.generation))
        #expect(try await !credentials.refused(second.generation))
    }

    @Test func `A refused token is read again at once, and tried again only if it changed`() async throws {
        try await withFolder { folder in
            let path = "\(folder)/token"
            try write("one", path)
            let credentials = Credentials(identity: ClientIdentity(token: .file(path)), base: nil)
            let first = try await credentials.get()
            try write("two", path)
            #expect(try await credentials.get().authorization == "Bearer one")
            #expect(try await credentials.refused(first.generation))
            #expect(try await credentials.get().authorization == "Bearer two")
            #expect(try await credentials.refused(first.generation))
            #expect(try await !credentials.refused(credentials.get().generation))
            let fixed = Credentials(identity: ClientIdentity(token: .fixed("t")), base: nil)
            #expect(try await !fixed.refused(fixed.get().generation))
        }
    }

    @Test func `A certificate that rotates is taken up`() async throws {
        try await withFolder { folder in
            let authority = try CertificateAuthority(commonName: "test", lifetime: 3600, now: Date())
            func issue() throws {
                let issued = try authority.issue(CertificateRequest(commonName: "me", usages: [.client], lifetime: 600), now: Date())
                // One file for both, as kubelets write it.
                try write(issued.certificatePEM + issued.keyPEM, "\(folder)/both.pem")
            }
            try issue()
            let identity = ClientIdentity(certificate: .files(certificate: "\(folder)/both.pem", key: "\(folder)/both.pem"))
            let credentials = Credentials(identity: identity, base: .makeClientConfiguration(), fileLifetime: .zero)
            let first = try await credentials.get()
            #expect(first.tls?.certificateChain.count == 1)
            try issue()
            #expect(try await credentials.get().generation != first.generation)
        }
    }

    @Test func `A plugin is told of the cluster, runs once for many, and again when its credential is about to expire`() async throws {
        try await withFolder { folder in
            try write(
                """
                #!/bin/sh
                echo "$KUBERNETES_EXEC_INFO" >> \(folder)/info
                printf '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s-%s","expirationTimestamp":"2001-01-01T00:00:00Z"}}' "$1" "$(wc -l < \(folder)/info)"
                """, "\(folder)/login", executable: true)
            let exec = Kubeconfig.Exec(
                apiVersion: "client.authentication.k8s.io/v1", command: "\(folder)/login", args: ["me"], provideClusterInfo: true)
            let plugin = ExecCredentialPlugin(exec, cluster: .init(server: "https://a"), directory: folder)
            let credentials = Credentials(identity: ClientIdentity(plugin: plugin), base: nil)
            let answers = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<10 { group.addTask { try await credentials.get().authorization } }
                return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
            }
            #expect(answers == ["Bearer me-1"])
            let info = try #require(FileManager.default.contents(atPath: "\(folder)/info"))
            #expect(
                String(decoding: info, as: UTF8.self).contains(#""server":"https://a""#)
                    || String(decoding: info, as: UTF8.self).contains(#""server":"https:\/\/a""#))
        }
    }

    @Test(arguments: [
        ("echo no-secret-here; exit 3", "oops"),
        ("echo '{\"apiVersion\":\"other/v1\",\"status\":{\"token\":\"hush\"}}'", "it answered in other/v1"),
        ("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"status\":{}}'", "neither a token nor a client certificate"),
        ("echo hush", "not an ExecCredential"),
    ])
    func `A plugin that fails is named with its own words, never with what it printed`(script: String, sentence: String) async throws {
        try await withFolder { folder in
            try write("#!/bin/sh\necho oops >&2\n\(script)\n", "\(folder)/login", executable: true)
            let exec = Kubeconfig.Exec(apiVersion: nil, command: "\(folder)/login")
            let credentials = Credentials(
                identity: ClientIdentity(plugin: ExecCredentialPlugin(exec, cluster: .init(), directory: folder)), base: nil)
            let error = await #expect(throws: KubernetesError.self) { try await credentials.get() }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains(sentence))
            #expect(text.contains("\(folder)/login"))
            #expect(!text.contains("hush") && !text.contains("no-secret-here"))
        }
    }

    /// A plugin that never answers, and writes down its process.
    private func hangingPlugin(_ folder: String, timeout: Duration) throws -> ExecCredentialPlugin {
        let script = "#!/bin/sh\necho $$ > \(folder)/new; mv \(folder)/new \(folder)/pid; exec sleep 600\n"
        try write(script, "\(folder)/login", executable: true)
        let exec = Kubeconfig.Exec(apiVersion: nil, command: "\(folder)/login")
        var plugin = ExecCredentialPlugin(exec, cluster: .init(), directory: folder)
        plugin.timeout = timeout
        return plugin
    }

    private func isGone(_ folder: String) -> Bool {
        guard let text = FileManager.default.contents(atPath: "\(folder)/pid"),
            let pid = pid_t(String(decoding: text, as: UTF8.self).prefix { $0.isNumber })
        else { return false }
        return kill(pid, 0) != 0
    }

    @Test func `A plugin that hangs is killed, and its time named`() async throws {
        try await withFolder { folder in
            let credentials = Credentials(identity: ClientIdentity(plugin: try hangingPlugin(folder, timeout: .seconds(3))), base: nil)
            let error = await #expect(throws: KubernetesError.self) { try await credentials.get() }
            #expect("\(error.map { "\($0)" } ?? "")".contains("did not end within 3.0 seconds"))
            #expect(isGone(folder))
        }
    }

    @Test func `Who is cancelled does not wait for a plugin that hangs, others do`() async throws {
        try await withFolder { folder in
            let credentials = Credentials(identity: ClientIdentity(plugin: try hangingPlugin(folder, timeout: .seconds(6))), base: nil)
            let patient = Task { try await credentials.get() }
            let impatient = Task { try await credentials.get() }
            try await eventually("the plugin runs") { FileManager.default.fileExists(atPath: "\(folder)/pid") }
            impatient.cancel()
            await #expect(throws: CancellationError.self) { try await impatient.value }
            #expect(!isGone(folder))
            await #expect(throws: KubernetesError.self) { try await patient.value }
            #expect(isGone(folder))
        }
    }

    @Test func `A plugin that is not installed comes with its hint`() async throws {
        let exec = Kubeconfig.Exec(apiVersion: nil, command: "nestbox-no-such-plugin", installHint: "Get it from your provider")
        let plugin = ExecCredentialPlugin(exec, cluster: .init(), directory: "")
        let error = await #expect(throws: KubernetesError.self) { try await plugin.credential() }
        #expect("\(error.map { "\($0)" } ?? "")".contains("Get it from your provider"))
    }

    @Test func `The key's block is found where Go finds it`() throws {
        let authority = try CertificateAuthority(commonName: "test", lifetime: 3600, now: Date())
        let issued = try authority.issue(CertificateRequest(commonName: "me", usages: [.client], lifetime: 600), now: Date())
        let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        for key in [issued.keyPEM, parameters + issued.keyPEM, issued.certificatePEM + issued.keyPEM] {
            var tls = TLSConfiguration.makeClientConfiguration()
            try TLSMaterial.install(certificate: issued.certificatePEM, key: key, into: &tls)
            #expect(tls.privateKey != nil)
        }
        var tls = TLSConfiguration.makeClientConfiguration()
        let error = #expect(throws: KubernetesError.self) {
            try TLSMaterial.install(certificate: issued.certificatePEM, key: "hush", into: &tls)
        }
        #expect("\(error.map { "\($0)" } ?? "")" == "cannot use the client key: it is not valid PEM")
    }
}
