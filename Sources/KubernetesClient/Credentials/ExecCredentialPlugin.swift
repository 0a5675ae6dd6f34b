import FoundationEssentials
import KubernetesAPI
import Subprocess
import SystemPackage

/// A program that hands out credentials (`client.authentication.k8s.io`), as cloud providers' CLIs do.
public struct ExecCredentialPlugin: Sendable, Equatable {
    public var command: String
    public var arguments: [String]
    public var environment: [String: String]
    public var apiVersion: String
    /// Shown when the program is not there.
    public var installHint: String?
    /// What the program is told about the cluster, when it asks for that.
    var clusterInfo: JSONValue?
    /// One that takes longer is killed: it is not interactive, so nobody can help it on.
    var timeout: Duration = .seconds(60)

    init(_ exec: Kubeconfig.Exec, cluster: Kubeconfig.Cluster, directory: String) {
        command = exec.command
        arguments = exec.args ?? []
        environment = Dictionary((exec.env ?? []).map { ($0.name, $0.value) }, uniquingKeysWith: { _, last in last })
        apiVersion = exec.apiVersion ?? "client.authentication.k8s.io/v1"
        installHint = exec.installHint
        guard exec.provideClusterInfo == true else { return }
        var info: [String: JSONValue] = ["server": .string(cluster.server ?? "")]
        info["tls-server-name"] = cluster.tlsServerName.map { .string($0) }
        info["insecure-skip-tls-verify"] = cluster.insecureSkipTLSVerify.map { .bool($0) }
        info["certificate-authority-data"] = cluster.certificateAuthorityData.map { .string($0) }
        info["proxy-url"] = cluster.proxyURL.map { .string($0) }
        clusterInfo = .object(info)
    }

    /// What the program answered.
    struct Credential: Sendable, Equatable {
        var token: String?
        var clientCertificate: String?
        var clientKey: String?
        /// When to ask again; never, without it, unless the server refuses the credential.
        var expires: Date?
    }

    /// Runs the program.
    func credential() async throws -> Credential {
        var variables: [Environment.Key: String] = ["KUBERNETES_EXEC_INFO": try executionInfo()]
        for (name, value) in environment {
            guard let key = Environment.Key(rawValue: name) else { continue }
            variables[key] = value
        }
        let executable: Executable = command.contains("/") ? .path(FilePath(command)) : .name(command)
        let result: ExecutionResult<Void, StringOutput<UTF8>, StringOutput<UTF8>>
        do {
            result = try await withTimeout { [arguments, variables] in
                try await run(
                    executable, arguments: Arguments(arguments), environment: .inherit.updating(variables.mapValues { $0 }),
                    output: .string(limit: 1 << 20), error: .string(limit: 1 << 16))
            }
        } catch let error as KubernetesError {
            throw error
        } catch {
            throw failure("it could not be run (\(error))" + (installHint.map { ". \($0)" } ?? ""))
        }
        guard result.terminationStatus.isSuccess else {
            // Its stderr is for the user (kubectl shows it too), bounded; its stdout may hold a token and is not shown.
            let words = result.standardError.split(separator: "\n").suffix(3).joined(separator: " ").prefix(500)
            throw failure("it ended with \(result.terminationStatus)" + (words.isEmpty ? "" : ": \(words)"))
        }
        return try Self.parse(result.standardOutput, apiVersion: apiVersion, or: failure)
    }

    /// Cancels `body`, which kills the program, when the time is over.
    private func withTimeout<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: timeout)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else {
                throw failure("it did not end within \(timeout) and was killed; run it by hand to see what it waits for")
            }
            return value
        }
    }

    static func parse(
        _ text: String, apiVersion: String, or failure: (String) -> KubernetesError
    ) throws -> Credential {
        guard let answer = try? JSONDecoder().decode(ExecCredential.self, from: Data(text.utf8)) else {
            throw failure("its output is not an ExecCredential")
        }
        guard answer.apiVersion == apiVersion else {
            throw failure("it answered in \(answer.apiVersion ?? "no apiVersion"), the kubeconfig wants \(apiVersion)")
        }
        guard let status = answer.status, status.token != nil || status.clientCertificateData != nil else {
            throw failure("its ExecCredential has neither a token nor a client certificate")
        }
        guard (status.clientCertificateData == nil) == (status.clientKeyData == nil) else {
            throw failure("its ExecCredential has a client certificate or its key, but not both")
        }
        return Credential(
            token: status.token, clientCertificate: status.clientCertificateData, clientKey: status.clientKeyData,
            expires: status.expirationTimestamp.flatMap(Timestamp.parse))
    }

    private func executionInfo() throws -> String {
        var spec: [String: JSONValue] = ["interactive": false]
        spec["cluster"] = clusterInfo
        let info: JSONValue = .object([
            "apiVersion": .string(apiVersion), "kind": "ExecCredential", "spec": .object(spec),
        ])
        return String(decoding: try JSONEncoder().encode(info), as: UTF8.self)
    }

    private func failure(_ detail: String) -> KubernetesError {
        KubernetesError(code: .credentials, verb: "get credentials from the plugin", object: command, detail: detail)
    }
}

private struct ExecCredential: Decodable {
    struct Status: Decodable {
        var token: String?
        var clientCertificateData: String?
        var clientKeyData: String?
        var expirationTimestamp: String?
    }
    var apiVersion: String?
    var status: Status?
}
