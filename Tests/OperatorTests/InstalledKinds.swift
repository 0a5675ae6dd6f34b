import Foundation
import TestCommands
import TestKubernetes
import Testing

/// Nestbox's kinds on the API server that all suites of a run share.
enum InstalledKinds {
    static func see(to cluster: TestKubernetes) async throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
        let kubeconfig = """
            {apiVersion: v1, kind: Config, current-context: host, contexts: [{name: host, context: {cluster: host, user: admin}}],
             clusters: [{name: host, cluster: {server: "\(cluster.server)", certificate-authority: "\(cluster.directory)/ca.crt"}}],
             users: [{name: admin, user: {token: "\(TestKubernetes.token)"}}]}
            """
        let path = "\(cluster.directory)/operator-tests.kubeconfig"
        try Data(kubeconfig.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        let program = try #require(cluster.binaries.kubectl, "there is no kubectl beside kube-apiserver")
        let commands = CommandRun(environment: ["KUBECONFIG": path, "HOME": cluster.directory])
        let apply = ["apply", "-k", "\(root)/manifests/crds", "--cache-dir=\(cluster.directory)/kubectl-cache"]
        do {
            try await commands.run(program, apply)
        } catch let failed as CommandRun.Failed where failed.description.contains("AlreadyExists") {
            // Another suite made them between kubectl's look and its write.
            try await commands.run(program, apply)
        }
    }
}
