import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    @Suite struct KubeconfigTests {
        private static let text = """
            apiVersion: v1
            kind: Config
            current-context: demo
            clusters: [{name: demo, cluster: {server: "https://192.0.2.9:30443"}}]
            users: [{name: demo, user: {token: tenant}}]
            contexts: [{name: demo, context: {cluster: demo, user: demo}}]

            """

        private func withCluster(_ body: (HostUnderTest) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                try await host.done("create cluster demo --version v1.20.2")
                let early = try await host.nestbox("kubeconfig demo")
                #expect(early.code == 1 && early.output.isEmpty)
                #expect(early.error.contains("cluster demo has no kubeconfig yet (Available is not known yet)"))
                var secret = Secret(metadata: ObjectMeta(name: "demo-kubeconfig", namespace: host.namespace))
                secret.stringData = ["kubeconfig": Self.text]
                _ = try await host.client.create(secret)
                var cluster = try await host.client.get(HostedCluster.self, "demo", namespace: host.namespace)
                cluster.status = HostedClusterStatus(kubeconfigSecret: secret.name)
                _ = try await host.client.updateStatus(cluster)
                try await body(host)
            }
        }

        private func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }

        @Test func itIsPrintedOrWrittenForItsOwnerAlone() async throws {
            try await withCluster { host in
                #expect(try await host.done("kubeconfig demo") == Self.text)
                let file = "\(host.folder)/demo.kubeconfig"
                let written = try await host.nestbox("kubeconfig demo -o", file)
                #expect(written == .init(code: 0, output: "", error: "wrote \(file)\n"))
                #expect(try String(contentsOfFile: file, encoding: .utf8) == Self.text && mode(file) == 0o600)
                let nowhere = try await host.nestbox("kubeconfig demo -o /no/such/folder/file")
                #expect(
                    nowhere == .init(code: 1, output: "", error: "Error: cannot write /no/such/folder/file: No such file or directory\n"))
            }
        }

        @Test func itIsMergedIntoTheOneInUse() async throws {
            try await withCluster { host in
                let merged = try await host.nestbox("kubeconfig demo --merge")
                #expect(merged.code == 0 && merged.output.isEmpty)
                #expect(merged.error.contains("whose current context is now demo; back to the one before: kubectl config use-context here"))
                #expect(try mode(host.kubeconfig) == 0o600)
                #expect(try ClientConfiguration.kubeconfig(path: host.kubeconfig).server == "https://192.0.2.9:30443")
                // The host's is still in it.
                #expect(try await host.done("get clusters --context here -o name") == "hostedcluster.nestbox.dev/demo\n")
            }
        }
    }
}
