import FoundationEssentials
import KubernetesAPI
import Testing

@testable import KubernetesClient

@Suite struct KubeconfigTests {
    private let text = """
        apiVersion: v1
        kind: Config
        current-context: one
        clusters:
        - name: a
          cluster: {server: "https://a:6443", certificate-authority-data: Q0E=, tls-server-name: kubernetes}
        - name: b
          cluster: {server: "https://b", insecure-skip-tls-verify: true, proxy-url: "http://proxy:3128"}
        contexts:
        - name: one
          context: {cluster: a, user: certificate, namespace: shop}
        - name: two
          context: {cluster: b, user: token}
        - name: three
          context: {cluster: b, user: both}
        - name: plugin
          context: {cluster: a, user: plugin}
        - name: nobody
          context: {cluster: a, user: absent}
        - name: nowhere
          context: {cluster: absent, user: token}
        - name: half
          context: {cluster: a, user: half}
        users:
        - name: certificate
          user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}
        - name: token
          user: {token: 12345}
        - name: both
          user: {token: inline, tokenFile: secrets/token}
        - name: half
          user: {client-certificate-data: Q0VSVA==}
        - name: plugin
          user:
            exec:
              apiVersion: client.authentication.k8s.io/v1beta1
              command: bin/login
              args: [--for, me]
              env: [{name: A, value: B}]
              provideClusterInfo: true
        """

    @Test func `Inline data`() throws {
        let configuration = try ClientConfiguration.kubeconfig(text: text)
        #expect(configuration.server == "https://a:6443")
        #expect(configuration.certificateAuthority == "CA")
        #expect(configuration.tlsServerName == "kubernetes")
        #expect(configuration.defaultNamespace == "shop")
        #expect(configuration.identity.certificate == .pem(certificate: "CERT", key: "KEY"))
    }

    @Test func `Another context, a token, no verification, a proxy`() throws {
        let configuration = try ClientConfiguration.kubeconfig(text: text, context: "two")
        #expect(configuration.identity.token == .fixed("12345"))
        #expect(configuration.skipsServerVerification)
        #expect(configuration.proxy == "http://proxy:3128")
        #expect(configuration.defaultNamespace == nil)
    }

    @Test func `Paths are relative to the file, and tokenFile goes before token`() throws {
        try withFolder { folder in
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/config"))
            let three = try ClientConfiguration.kubeconfig(path: "\(folder)/config", context: "three")
            #expect(three.identity.token == .file("\(folder)/secrets/token"))
            let plugin = try ClientConfiguration.kubeconfig(path: "\(folder)/config", context: "plugin").identity.plugin
            #expect(plugin?.command == "\(folder)/bin/login")
            #expect(plugin?.arguments == ["--for", "me"])
            #expect(plugin?.environment == ["A": "B"])
            #expect(plugin?.clusterInfo?["server"]?.string == "https://a:6443")
        }
    }

    @Test(arguments: [
        ("absent", "has no context absent; it has: one, two, three, plugin, nobody, nowhere, half"),
        ("nobody", "context nobody is of user absent, who is not in it"),
        ("nowhere", "context nowhere is of cluster absent, which has no server there"),
        ("half", "user half has a client certificate or its key, but not both of one kind"),
    ])
    func `What is missing is named`(context: String, sentence: String) {
        let error = #expect(throws: KubernetesError.self) { try ClientConfiguration.kubeconfig(text: text, context: context) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(sentence))
    }

    @Test(arguments: ["", "users: [{name: a, user: {token: [hush]}}]", "- hush", "a: \"hush", "current-context: hush"])
    func `What is no kubeconfig is refused without a word of it`(text: String) {
        let error = #expect(throws: KubernetesError.self) { try ClientConfiguration.kubeconfig(text: text, context: "c") }
        #expect(!"\(error.map { "\($0)" } ?? "")".contains("hush"))
    }

    @Test func `The order of places, and several files`() throws {
        try withFolder { folder in
            try FileManager.default.createDirectory(atPath: "\(folder)/.kube", withIntermediateDirectories: true)
            for (name, server) in [("one", "https://one"), ("two", "https://two"), (".kube/config", "https://home")] {
                let text = """
                    current-context: \(server)
                    clusters: [{name: \(server), cluster: {server: "\(server)"}}, {name: shared, cluster: {server: "\(server)/shared"}}]
                    contexts: [{name: "\(server)", context: {cluster: "\(server)"}}, {name: shared, context: {cluster: shared}}]
                    """
                try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            func server(_ path: String?, _ context: String?, _ environment: [String: String]) throws -> String {
                try ClientConfiguration.load(kubeconfig: path, context: context, environment: environment).server
            }
            let both = ["KUBECONFIG": "\(folder)/absent:\(folder)/one:\(folder)/two", "HOME": folder]
            #expect(try server("\(folder)/two", nil, both) == "https://two")
            #expect(try server(nil, nil, both) == "https://one")
            #expect(try server(nil, "https://two", both) == "https://two")
            #expect(try server(nil, "shared", both) == "https://one/shared")
            #expect(try server(nil, nil, ["HOME": folder]) == "https://home")
            #expect(throws: KubernetesError.self) { try server(nil, nil, ["KUBECONFIG": "\(folder)/absent", "HOME": folder]) }
            #expect(throws: KubernetesError.self) { try server(nil, nil, [:]) }
        }
    }

    @Test func `A pod's own identity`() throws {
        try withFolder { folder in
            let environment = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]
            #expect(throws: KubernetesError.self) { try ClientConfiguration.inCluster(environment: environment, directory: folder) }
            for (name, value) in [("token", "t"), ("ca.crt", "CA"), ("namespace", "shop\n")] {
                try Data(value.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
            }
            let configuration = try ClientConfiguration.inCluster(environment: environment, directory: folder)
            #expect(configuration.server == "https://10.96.0.1:443")
            #expect(configuration.certificateAuthority == "CA")
            #expect(configuration.defaultNamespace == "shop")
            #expect(configuration.identity.token == .file("\(folder)/token"))
            let six = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"]
            #expect(try ClientConfiguration.inCluster(environment: six, directory: folder).server == "https://[fd00::1]:443")
            let loaded = try ClientConfiguration.load(
                kubeconfig: nil, context: nil, environment: environment, serviceAccount: folder)
            #expect(loaded.server == "https://10.96.0.1:443")
            #expect(throws: KubernetesError.self) { try ClientConfiguration.inCluster(environment: [:], directory: folder) }
        }
    }

    @Test func `It is written as it was read`() throws {
        let kubeconfig = try Kubeconfig(text: text)
        #expect(try Kubeconfig(text: kubeconfig.yaml()) == kubeconfig)
    }

    @Test func `An identity's description holds no secret`() throws {
        for context in ["one", "two"] {
            let configuration = try ClientConfiguration.kubeconfig(text: text, context: context)
            for secret in ["KEY", "12345"] {
                #expect(!"\(configuration.identity)".contains(secret))
                #expect(!String(reflecting: configuration).contains(secret))
            }
        }
    }
}

/// A folder that is gone afterwards.
func withFolder<Value>(isolation: isolated (any Actor)? = #isolation, _ body: (String) async throws -> Value) async throws -> Value {
    let folder = try makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
    let folder = try makeFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

private func makeFolder() throws -> String {
    let folder = "\(FileManager.default.temporaryDirectory.path)/nestbox-client-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return folder
}
