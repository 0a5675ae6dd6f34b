import Foundation
import TestCommands
import TestKubernetes
import Testing

extension TestKubernetes {
    /// Teaches the server Nestbox's kinds, as an admin would.
    func installKinds() async throws {
        // Server-side: another suite may make them at the same time.
        try await kubectl("apply", "--server-side", "--force-conflicts", "-k", "\(Self.root)/manifests/crds")
    }

    /// The kubectl of the server's version, as its admin.
    @discardableResult
    func kubectl(_ arguments: String...) async throws -> String {
        let kubeconfig = """
            {apiVersion: v1, kind: Config, current-context: host, contexts: [{name: host, context: {cluster: host, user: admin}}],
             clusters: [{name: host, cluster: {server: "\(server)", certificate-authority: "\(directory)/ca.crt"}}],
             users: [{name: admin, user: {token: "\(Self.token)"}}]}
            """
        let path = "\(directory)/operator-tests.kubeconfig"
        // Whole at every moment: suites that share the server write it beside each other, and kubectl takes an empty one for none.
        try Data(kubeconfig.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        let program = try #require(binaries.kubectl, "there is no kubectl beside kube-apiserver")
        return try await CommandRun(environment: ["KUBECONFIG": path, "HOME": directory]).run(
            program, arguments + ["--cache-dir=\(directory)/kubectl-cache"])
    }

    /// The checkout.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path
}
