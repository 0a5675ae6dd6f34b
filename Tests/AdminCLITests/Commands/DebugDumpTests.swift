import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// The built `nestbox debug dump` on a real API server without kubelets: what it reads, what it does not say, what it leaves behind.
    @Suite struct DebugDumpTests {
        /// A cluster whose control plane "runs" in a namespace with secrets of every kind in it.
        private func withTenant(_ body: (HostUnderTest, _ controlPlane: String, _ planted: [String]) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                let controlPlane = try await host.cluster.makeNamespace(host.client)
                var cluster = try await host.client.create(
                    HostedCluster(
                        metadata: ObjectMeta(name: "shop", namespace: host.namespace),
                        spec: HostedClusterSpec(version: KubernetesVersion(1, 20, 2))))
                var conditions = ConditionSet(nil, generation: 1)
                conditions.set("Available", false, reason: "NotServing", message: "etcd is not ready; its token: planted-message")
                cluster.status = HostedClusterStatus(conditions: conditions.list, controlPlaneNamespace: controlPlane)
                _ = try await host.client.updateStatus(cluster)
                _ = try await host.client.create(
                    NodePool(
                        metadata: ObjectMeta(name: "workers", namespace: host.namespace),
                        spec: NodePoolSpec(clusterName: "shop", replicas: 1)))
                try await plant(host, controlPlane)
                try await body(
                    host, controlPlane,
                    ["planted", Data("planted-password".utf8).base64EncodedString(), "b3BlbnNzaC1rZXktdjE", "PRIVATE KEY"])
            }
        }

        private func plant(_ host: HostUnderTest, _ controlPlane: String) async throws {
            let key = try String(contentsOfFile: try await host.sshKey("ed25519"), encoding: .utf8)
            for namespace in [controlPlane, host.namespace] {
                _ = try await host.client.create(
                    Secret(
                        metadata: ObjectMeta(name: "keys", namespace: namespace), type: "Opaque",
                        stringData: [
                            "tls.key": key, "password": "planted-password", "kubeconfig": "users: [{user: {token: planted-token}}]",
                        ]))
            }
            _ = try await host.client.create(
                ConfigMap(
                    metadata: ObjectMeta(name: "settings", namespace: controlPlane),
                    data: [
                        "copied.yaml": "here it is again: planted-password\nand the key:\n\(key)", "kept": "issuer: https://id.example.com",
                    ]))
            _ = try await host.client.create(
                Pod(
                    metadata: ObjectMeta(name: "control-plane-0", namespace: controlPlane),
                    // On a node that there is none of: its logs cannot be had.
                    spec: PodSpec(
                        containers: [
                            Container(
                                name: "kube-apiserver", image: "example.com/x:1", command: ["x", "--token", "planted-argument"],
                                env: [EnvVar(name: "API_TOKEN", value: "planted-variable")])
                        ], nodeName: "gone")))
        }

        private func files(in folder: String) throws -> [String: String] {
            try FileManager.default.subpathsOfDirectory(atPath: folder).reduce(into: [:]) { files, file in
                guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else { return }
                files[file] = String(decoding: data, as: UTF8.self)
            }
        }

        @Test func itReadsAndKeepsSecrets() async throws {
            try await withTenant { host, controlPlane, planted in
                let folder = "\(host.folder)/dump"
                let line = "debug dump cluster shop --operator-namespace \(host.namespace) -o"
                let outcome = try await host.nestbox(line, folder)
                #expect(outcome.code == 0 && outcome.output == "\(folder)\n", "\(outcome.error)")
                let files = try files(in: folder)
                let name = "\(host.namespace)_shop"
                for file in [
                    "summary.txt", "versions.txt", "missing.txt", "operators/secrets.yaml", "\(name)/hostedcluster.yaml",
                    "\(name)/nodepools.yaml", "\(name)/control-plane/secrets.yaml", "\(name)/control-plane/pods.yaml",
                    "\(name)/control-plane/configmaps.yaml", "\(name)/control-plane/namespace.yaml",
                ] { #expect(files[file] != nil, "\(file) is none of \(files.keys.sorted())") }
                for (file, text) in files {
                    for secret in planted { #expect(!text.contains(secret), "\(file) holds \(secret): \(text)") }
                }
                #expect(files["\(name)/control-plane/secrets.yaml"]?.contains("tls.key") == true)
                #expect(files["\(name)/control-plane/configmaps.yaml"]?.contains("https://id.example.com") == true)
                #expect(files["\(name)/control-plane/pods.yaml"]?.contains("API_TOKEN") == true)
                #expect(
                    files["summary.txt"]?.contains("Available  False   NotServing") == true
                        || files["summary.txt"]?.contains("NotServing") == true)
                // No kubelet: the log is missing, and that is said.
                #expect(files["missing.txt"]?.contains("control-plane-0/log kube-apiserver") == true, "\(files["missing.txt"] ?? "")")
                // Nobody else's to read.
                let rights = try FileManager.default.attributesOfItem(atPath: "\(folder)/summary.txt")[.posixPermissions] as? Int
                #expect(rights == 0o600)
                #expect(try FileManager.default.attributesOfItem(atPath: folder)[.posixPermissions] as? Int == 0o700)

                // Not over what is there, and not into nowhere.
                let again = try await host.nestbox(line, folder)
                #expect(again.code == 64 && again.error.contains("is there already"))
                let nowhere = try await host.nestbox(line, "\(host.folder)/no/such/x.tar.gz")
                #expect(nowhere.code == 64 && nowhere.error.contains("no folder that you may write in"))
            }
        }

        @Test func anArchiveOfAllHoldsTheSame() async throws {
            try await withTenant { host, _, planted in
                let archive = "\(host.folder)/all.tar.gz"
                let line = "debug dump --all --operator-namespace \(host.namespace) -o"
                let outcome = try await host.nestbox(line, archive)
                #expect(outcome.code == 0 && outcome.output == "\(archive)\n", "\(outcome.error)")
                #expect(try FileManager.default.attributesOfItem(atPath: archive)[.posixPermissions] as? Int == 0o600)
                try await host.commands.run("tar", ["-C", host.folder, "-xzf", archive])
                let files = try files(in: "\(host.folder)/all")
                #expect(files["\(host.namespace)_shop/hostedcluster.yaml"] != nil && files["summary.txt"] != nil)
                for (file, text) in files {
                    for secret in planted { #expect(!text.contains(secret), "\(file) holds \(secret)") }
                }
                #expect(try leftovers(in: host.folder) == [])
            }
        }

        private func leftovers(in folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".partial") }
        }

        @Test func whoMayReadLittleGetsLittle() async throws {
            try await withTenant { host, controlPlane, _ in
                // Somebody who may read HostedClusters there, and nothing else.
                let account = ServiceAccount(metadata: ObjectMeta(name: "reader", namespace: host.namespace))
                _ = try await host.client.create(account)
                try await host.kubectl(
                    "create", "role", "reader", "--verb=get,list", "--resource=hostedclusters.nestbox.dev", "-n", host.namespace)
                try await host.kubectl(
                    "create", "rolebinding", "reader", "--role=reader", "--serviceaccount=\(host.namespace):reader", "-n", host.namespace)
                let token = try await host.client.subresource(
                    .post, "token", of: ServiceAccount.self, "reader", namespace: host.namespace,
                    body: TokenRequest(metadata: ObjectMeta(), spec: TokenRequestSpec(audiences: [], expirationSeconds: 600)))
                let kubeconfig = "\(host.folder)/reader.kubeconfig"
                try host.writeKubeconfig(kubeconfig, token: try #require(token["status"]?["token"]?.string))
                let folder = "\(host.folder)/little"
                let outcome = try await host.nestbox("debug dump cluster shop --kubeconfig \(kubeconfig) -o", folder)
                #expect(outcome.code == 0, "\(outcome.error)")
                let files = try files(in: folder)
                #expect(files["\(host.namespace)_shop/hostedcluster.yaml"] != nil)
                #expect(files["missing.txt"]?.contains("/namespaces/\(controlPlane)/secrets: HTTP 403") == true)
                #expect(outcome.error.contains("could not be read: missing.txt"))
            }
        }

        @Test func anInterruptedDumpLeavesNothing() async throws {
            try await withTenant { host, controlPlane, _ in
                // Enough to be in the middle of it.
                for number in 1...80 {
                    _ = try await host.client.create(
                        Pod(
                            metadata: ObjectMeta(name: "more-\(number)", namespace: controlPlane),
                            spec: PodSpec(containers: [Container(name: "c", image: "example.com/x:1")])))
                }
                let path = "\(host.folder)/interrupted.tar.gz"
                let line = "debug dump cluster shop --operator-namespace \(host.namespace) -o".split(separator: " ").map(String.init)
                let code = try await host.commands.whileRunning(HostUnderTest.nestbox, line + [path]) { running in
                    _ = try await running.line(with: "reading \(controlPlane)")
                    running.signal(SIGINT)
                    _ = try await running.line(with: "interrupted: nothing is left behind")
                }
                #expect(code == 130)
                #expect(!FileManager.default.fileExists(atPath: path))
                #expect(try leftovers(in: host.folder) == [])
            }
        }

        @Test func whatWasReadWhenTheTimeIsOverIsKept() async throws {
            try await withTenant { host, _, _ in
                let folder = "\(host.folder)/late"
                let outcome = try await host.nestbox("debug dump cluster shop --timeout 0 -o", folder)
                #expect(outcome.code == 0, "\(outcome.error)")
                let files = try files(in: folder)
                #expect(files["missing.txt"]?.contains("the time was over") == true && files["summary.txt"] != nil)
            }
        }
    }
}
