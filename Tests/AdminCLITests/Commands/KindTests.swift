import ControlPlane
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
    /// The built `nestbox` on a real API server: every verb of each kind.
    @Suite struct KindTests {
        private func withHost(_ body: (HostUnderTest) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current(), body)
        }

        @Test func aClusterIsCreatedShownAndDeleted() async throws {
            try await withHost { host in
                #expect(
                    try await host.done("create cluster demo --version v1.20.2 --replicas 3") == "hostedcluster.nestbox.dev/demo created\n")
                let there = try await host.client.get(HostedCluster.self, "demo", namespace: host.namespace)
                #expect(there.spec?.controlPlane?.replicas == 3 && there.spec?.release == Defaults.release)

                let table = try await host.done("get clusters").split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                #expect(table.first == ["NAME", "VERSION", "AVAILABLE", "NODES", "AGE"])
                #expect(table.last?.prefix(4) == ["demo", "v1.20.2", "Unknown", "0/0"])
                #expect(try await host.done("get cluster demo -o wide").contains("NAMESPACE-OF-CONTROL-PLANE"))
                #expect(try await host.done("get hc -o name") == "hostedcluster.nestbox.dev/demo\n")
                #expect(try await host.done("get clusters -A -o wide").hasPrefix("NAMESPACE "))
                let one = try JSONDecoder().decode(HostedCluster.self, from: Data(try await host.done("get cluster demo -o json").utf8))
                #expect(one == there)
                let list = try await host.done("get clusters -o yaml")
                #expect(list.contains("kind: List\n") && list.contains("- apiVersion: nestbox.dev/v1alpha1\n"))
                let described = try await host.done("describe cluster demo")
                #expect(described.hasPrefix("Name:") && described.contains("v1.20.2") && described.hasSuffix("Events: none\n"))

                let again = try await host.nestbox("create cluster demo --version v1.20.2")
                #expect(again.code == 1 && again.output.isEmpty)
                #expect(again.error == "Error from server (AlreadyExists): hostedclusters.nestbox.dev \"demo\" already exists\n")
                #expect(try await host.done("delete cluster demo") == "hostedcluster.nestbox.dev/demo deleted\n")
                let gone = try await host.nestbox("get cluster demo")
                #expect(
                    gone
                        == .init(
                            code: 1, output: "", error: "Error from server (NotFound): hostedclusters.nestbox.dev \"demo\" not found\n"))
                #expect(try await host.nestbox("delete cluster demo").code == 1)
                #expect(try await host.nestbox("delete cluster demo --ignore-not-found").code == 0)
                let none = try await host.nestbox("get clusters")
                #expect(none == .init(code: 0, output: "", error: "No clusters found in namespace \(host.namespace).\n"))
            }
        }

        @Test func aDryRunCreatesNothingAndIsWhatKubectlTakes() async throws {
            try await withHost { host in
                try await host.done("create cluster demo --version v1.20.2")
                let yaml = try await host.done("create nodepool gpu --cluster demo --machines gpu=yes --label v=1.20 --dry-run -o yaml")
                let file = "\(host.folder)/pool.yaml"
                try Data(yaml.utf8).write(to: URL(fileURLWithPath: file))
                #expect(try await host.nestbox("get nodepool gpu").code == 1)
                try await host.kubectl("apply", "-f", file)
                let pool = try await host.client.get(NodePool.self, "gpu", namespace: host.namespace)
                #expect(pool.spec?.machineSelector?.matchLabels == ["gpu": "yes"] && pool.spec?.labels == ["v": "1.20"])
                #expect(try await host.done("create cluster x --version v1.20.2 --dry-run -o name") == "hostedcluster.nestbox.dev/x\n")
                #expect(try await host.done("create cluster x --version v1.20.2 --dry-run -o json").hasPrefix("{\n"))
            }
        }

        @Test func aPoolIsCreatedScaledAndDeleted() async throws {
            try await withHost { host in
                let orphan = try await host.nestbox("create nodepool workers --cluster demo")
                #expect(
                    orphan.code == 1
                        && orphan.error.contains("there is no cluster demo in namespace \(host.namespace) for node pool workers"))
                try await host.done("create cluster demo --version v1.20.2")
                let newer = try await host.nestbox("create nodepool workers --cluster demo --version v1.21.0")
                #expect(newer.code == 64 && newer.error.contains("newer than its API server"))
                #expect(
                    try await host.done("create nodepool workers --cluster demo --replicas 2") == "nodepool.nestbox.dev/workers created\n")
                #expect(try await host.done("scale nodepool workers --replicas 3") == "nodepool.nestbox.dev/workers scaled\n")
                #expect(try await host.client.get(NodePool.self, "workers", namespace: host.namespace).spec?.replicas == 3)
                #expect(try await host.done("describe cluster demo").contains("Node pools:\n  NAME"))
                #expect(try await host.done("describe np workers").contains("0 ready, 0 machines claimed, 3 desired"))
                let missing = try await host.nestbox("scale nodepool other --replicas 1")
                #expect(missing.error == "Error from server (NotFound): nodepools.nestbox.dev \"other\" not found\n" && missing.code == 1)
                #expect(try await host.done("delete nodepool workers") == "nodepool.nestbox.dev/workers deleted\n")
            }
        }

        @Test func aRolloutIsHeldResumedAndTakenBack() async throws {
            try await withHost { host in
                try await host.done("create cluster demo --version v1.20.2")
                try await host.done("create nodepool workers --cluster demo --replicas 0")
                func pool() async throws -> NodePool { try await host.client.get(NodePool.self, "workers", namespace: host.namespace) }
                func report(_ conditions: [Condition], _ history: [NodePoolRevision]) async throws {
                    var pool = try await pool()
                    pool.status = NodePoolStatus(
                        observedGeneration: pool.metadata.generation, conditions: conditions, replicas: 0, readyReplicas: 0,
                        updatedReplicas: 0,
                        revision: history.last?.revision, history: history)
                    _ = try await host.client.updateStatus(pool)
                }
                let name = "nodepool.nestbox.dev/workers"
                #expect(try await host.done("rollout pause nodepool workers") == "\(name) paused\n")
                #expect(try await pool().spec?.upgrade?.paused == true)
                #expect(try await host.nestbox("rollout pause nodepool workers").error == "Error: node pool workers is paused already\n")
                #expect(try await host.nestbox("rollout undo np workers").error.contains("would not be rolled back"))
                #expect(try await host.done("rollout resume nodepool workers") == "\(name) resumed\n")
                #expect(try await pool().spec?.upgrade?.paused == false)
                #expect(try await host.nestbox("rollout resume nodepool workers").error == "Error: node pool workers is not paused\n")

                let history = [
                    NodePoolRevision(number: 1, revision: "a", version: KubernetesVersion(1, 20, 2), createdAt: "2026-01-01T00:00:00Z"),
                    NodePoolRevision(
                        number: 2, revision: "b", version: KubernetesVersion(1, 20, 2), nodeConfiguration: ["preJoinCommands": ["false"]],
                        createdAt: "2026-01-01T00:00:00Z"),
                ]
                try await host.kubectl(
                    "patch", "nodepool", "workers", "--type=merge", "-p",
                    #"{"spec": {"nodeConfiguration": {"preJoinCommands": ["false"]}}}"#)
                var failed = ConditionSet(nil, generation: 1)
                failed.set("Progressing", false, reason: "MachineFailed", message: "Machine m: it failed")
                failed.set("RolloutPaused", true, reason: "MachineFailed", message: "Machine m: it failed")
                try await report(failed.list, history)
                let stopped = try await host.nestbox("rollout status nodepool workers")
                #expect(stopped.code == 1 && stopped.error.contains("the rollout of node pool workers has stopped: Machine m: it failed"))
                #expect(try await host.done("rollout history nodepool workers").contains("preJoinCommands"))
                // What failed so far is forgiven.
                try await host.done("rollout resume nodepool workers")
                #expect(try await pool().metadata.annotations?[NodePoolAnnotation.resumedAt] != nil)
                #expect(try await host.done("rollout undo nodepool workers") == "\(name) rolled back\n")
                #expect(try await pool().spec?.nodeConfiguration == nil)
                #expect(try await pool().spec?.version == nil)
                try await report([], [history[1], history[0]])
                #expect(try await host.done("rollout status nodepool workers") == "node pool \"workers\" successfully rolled out\n")
            }
        }

        /// Who may only scale can scale: `scale` is the subresource, not an edit of the pool.
        @Test func scalingNeedsNoMoreThanTheRightToScale() async throws {
            try await withHost { host in
                try await host.done("create cluster demo --version v1.20.2")
                try await host.done("create nodepool workers --cluster demo --replicas 1")
                let user = "scaler-\(host.namespace)"
                try await host.kubectl("create", "role", "scaler", "--verb=patch", "--resource=nodepools.nestbox.dev/scale")
                try await host.kubectl("create", "rolebinding", "scaler", "--role=scaler", "--user=\(user)")
                let pair = try host.cluster.clientCertificate(user: user, groups: [])
                let (certificate, key, config) = ("\(host.folder)/user.crt", "\(host.folder)/user.key", "\(host.folder)/user.kubeconfig")
                try Data(pair.certificatePEM.utf8).write(to: URL(fileURLWithPath: certificate))
                try Data(pair.keyPEM.utf8).write(to: URL(fileURLWithPath: key))
                let text = try String(contentsOfFile: host.kubeconfig, encoding: .utf8)
                    .replacingOccurrences(
                        of: "{token: \"\(TestKubernetes.token)\"}", with: "{client-certificate: \"\(certificate)\", client-key: \"\(key)\"}"
                    )
                try Data(text.utf8).write(to: URL(fileURLWithPath: config))
                try await eventually("the right to scale") {
                    try await host.nestbox("scale nodepool workers --replicas 4 --kubeconfig \(config)").code == 0
                }
                let forbidden = try await host.nestbox("get nodepools --kubeconfig \(config)")
                #expect(
                    forbidden.code == 1 && forbidden.error.hasPrefix("Error from server (Forbidden): nodepools.nestbox.dev is forbidden"))
                #expect(try await host.client.get(NodePool.self, "workers", namespace: host.namespace).spec?.replicas == 4)
            }
        }

        @Test func aMachineIsRegisteredWithItsKeyAndKeepsIt() async throws {
            try await withHost { host in
                let (name, key) = ("m-\(host.namespace)", try await host.sshKey("ed25519"))
                let create = "create machine \(name) --address 192.0.2.10 --operator-namespace \(host.namespace) --label gpu=yes --ssh-key"
                #expect(try await host.done(create, key) == "machine.nestbox.dev/\(name) created\n")
                let machine = try await host.client.get(Machine.self, name)
                let secret = try await host.client.get(Secret.self, "ssh-\(name)", namespace: host.namespace)
                #expect(secret.data?["ssh-privatekey"]?.bytes == (try Array(Data(contentsOf: URL(fileURLWithPath: key)))))
                // It goes when the machine does.
                #expect(secret.metadata.ownerReferences?.map(\.uid) == [machine.metadata.uid ?? ""])

                // Another one under its name does not take the key away.
                let second = try await host.nestbox(create, try await host.sshKey("ecdsa"))
                #expect(second.code == 1 && second.error.contains("machine \(name) is there already"))
                let same = try await host.client.get(Secret.self, "ssh-\(name)", namespace: host.namespace)
                #expect(same.metadata.resourceVersion == secret.metadata.resourceVersion)

                #expect(try await host.done("get machines -l gpu=yes").contains(name))
                #expect(try await host.nestbox("get machines -l gpu=no").output.isEmpty)
                let described = try await host.done("describe machine \(name)")
                #expect(described.contains("root@192.0.2.10, port 22") && !described.contains("Namespace:"))
                #expect(try await host.done("delete machine \(name)") == "machine.nestbox.dev/\(name) deleted\n")
            }
        }

        @Test func keysThatNoMachineTakesAreRefusedBeforeAnythingIsMade() async throws {
            try await withHost { host in
                let name = "k-\(host.namespace)"
                let create = "create machine \(name) --address 192.0.2.10 --operator-namespace \(host.namespace) --ssh-key"
                let rsa = try await host.nestbox(create, try await host.sshKey("rsa"))
                #expect(rsa.code == 64 && rsa.error.contains("the SSH key is an RSA key") && rsa.error.contains("ssh-keygen -t ed25519"))
                let open = try await host.nestbox(create, try await host.sshKey("ed25519") + ".pub")
                #expect(open.code == 64 && open.error.contains("this is a public SSH key"))
                let none = try await host.nestbox(create, "\(host.folder)/none")
                #expect(none.code == 1 && none.error.contains("there is no file \(host.folder)/none"))
                let nowhere = try await host.nestbox(
                    "create machine \(name) --address 192.0.2.10 --operator-namespace nowhere --ssh-key", "\(host.folder)/ed25519")
                #expect(nowhere.code == 1 && nowhere.error.contains("there is no namespace nowhere for the SSH key"))
                #expect(try await host.client.find(Machine.self, name) == nil)
                #expect(try await host.client.list(Secret.self, namespace: host.namespace).items.isEmpty)
            }
        }

        @Test func severalNamesShowThoseThatAreThere() async throws {
            try await withHost { host in
                try await host.done("create cluster a --version v1.20.2")
                try await host.done("create cluster b --version v1.20.3")
                let some = try await host.nestbox("get clusters a nope b -o name")
                #expect(some.code == 1 && some.output == "hostedcluster.nestbox.dev/a\nhostedcluster.nestbox.dev/b\n")
                #expect(some.error.contains("\"nope\" not found"))
                #expect(try await host.done("delete clusters a b").split(separator: "\n").count == 2)
            }
        }
    }
}
