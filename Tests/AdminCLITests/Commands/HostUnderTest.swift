import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

/// The built `nestbox` on a real API server. One test after the other: each runs processes by the dozen, and some of them have little
/// time, such as a completion.
@Suite(.serialized, .integration, .kubernetes, .timeLimit(.minutes(10))) enum Commands {}

/// A real API server with Nestbox's kinds, a namespace of the test's own, and the built `nestbox` to use on them.
///
/// There is no operator: what it would write into a status, a test writes.
struct HostUnderTest: Sendable {
    let cluster: TestKubernetes
    let client: KubernetesClient
    let namespace: String
    /// Gone at the end.
    let folder: String

    static let nestbox = "\(CommandRun.products)/nestbox"

    static func with(_ cluster: TestKubernetes, _ body: (HostUnderTest) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nestbox-cli-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await cluster.withClient { client in
            let host = HostUnderTest(
                cluster: cluster, client: client, namespace: try await cluster.makeNamespace(client), folder: folder)
            try host.writeKubeconfig(host.kubeconfig, token: TestKubernetes.token)
            try await host.installKinds()
            try await body(host)
        }
    }

    var kubeconfig: String { "\(folder)/kubeconfig" }

    func writeKubeconfig(_ path: String, server: String? = nil, token: String) throws {
        let text = """
            apiVersion: v1
            kind: Config
            current-context: here
            clusters: [{name: host, cluster: {server: "\(server ?? cluster.server)", certificate-authority: "\(cluster.directory)/ca.crt"}}]
            users: [{name: admin, user: {token: "\(token)"}}]
            contexts:
            - {name: here, context: {cluster: host, user: admin, namespace: \(namespace)}}
            - {name: elsewhere, context: {cluster: host, user: admin, namespace: default}}
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    var commands: CommandRun { CommandRun(environment: ["KUBECONFIG": kubeconfig, "HOME": folder, "NESTBOX_CACHE": "\(folder)/cache"]) }

    /// However it ends.
    func nestbox(_ line: String, _ more: String...) async throws -> CommandRun.Outcome {
        try await commands.outcome(Self.nestbox, line.split(separator: " ").map(String.init) + more)
    }

    /// Its stdout; it has to succeed.
    @discardableResult
    func done(_ line: String, _ more: String...) async throws -> String {
        let outcome = try await commands.outcome(Self.nestbox, line.split(separator: " ").map(String.init) + more)
        #expect(outcome.code == 0, "nestbox \(line): \(outcome.error)")
        return outcome.output
    }

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    @discardableResult
    func kubectl(_ arguments: String...) async throws -> String {
        let program = try #require(cluster.binaries.kubectl, "there is no kubectl beside kube-apiserver")
        return try await commands.run(program, arguments + ["--cache-dir=\(folder)/kubectl-cache"])
    }

    private func installKinds() async throws {
        // The last of them to be made.
        if try await client.find(CustomResourceDefinition.self, "\(NodePool.resourceType)") == nil {
            // Server-side: another suite may make them at the same time.
            try await kubectl("apply", "--server-side", "--force-conflicts", "-k", "\(Self.root)/manifests/crds")
        }
        let kinds = [HostedCluster.resourceType, NodePool.resourceType, Machine.resourceType].map { "crd/\($0)" }
        try await kubectl("wait", "--for=condition=Established", "--timeout=60s", kinds[0], kinds[1], kinds[2])
        try await eventually("the kinds to be served") {
            _ = try? await client.list(HostedCluster.self)
            return (try? await client.list(Machine.self)) != nil
        }
    }

    /// A private key of that type, made by ssh-keygen.
    func sshKey(_ type: String) async throws -> String {
        let path = "\(folder)/\(type)"
        try await commands.run("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", path])
        return path
    }
}
