import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// The built `nestbox` while it waits and watches; the test writes what an operator would.
    @Suite struct WaitingTests {
        private func withHost(_ body: (HostUnderTest) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current(), body)
        }

        private func setAvailable(_ isTrue: Bool, _ message: String, of name: String, in host: HostUnderTest) async throws {
            try await retryOnConflict {
                var cluster = try await host.client.get(HostedCluster.self, name, namespace: host.namespace)
                var conditions = ConditionSet(nil, generation: 1)
                conditions.set("Available", isTrue, reason: "Test", message: message)
                cluster.status = HostedClusterStatus(conditions: conditions.list)
                _ = try await host.client.updateStatus(cluster)
            }
        }

        @Test func waitingShowsEachChangeAndEndsWhenItHasCome() async throws {
            try await withHost { host in
                let code = try await host.commands.whileRunning(
                    HostUnderTest.nestbox, ["create", "cluster", "demo", "--version", "v1.20.2", "--wait", "--timeout", "2m"]
                ) { running in
                    _ = try await running.line(with: "waiting for cluster demo to be available: Available is not known yet")
                    try await setAvailable(false, "etcd starts", of: "demo", in: host)
                    _ = try await running.line(with: "waiting for cluster demo to be available: etcd starts")
                    try await setAvailable(true, "it serves", of: "demo", in: host)
                    _ = try await running.line(with: "cluster demo is available after")
                    // Elsewhere than on a terminal, plain lines.
                    #expect(await !running.all().joined().contains("\u{1B}"))
                }
                #expect(code == 0)
            }
        }

        @Test func aTimeoutIs124AndSaysWhatIsMissing() async throws {
            try await withHost { host in
                let outcome = try await host.nestbox("create cluster slow --version v1.20.2 --wait --timeout 1s")
                #expect(outcome.code == 124 && outcome.output == "hostedcluster.nestbox.dev/slow created\n")
                #expect(
                    outcome.error.contains("Error: timed out after 1s waiting for cluster slow to be available: Available is not known yet")
                )
                #expect(outcome.error.contains("the work goes on in the cluster, see: nestbox get cluster slow -n \(host.namespace) -w"))
                #expect(try await host.client.find(HostedCluster.self, "slow", namespace: host.namespace) != nil)
            }
        }

        @Test func controlCSaysThatTheWorkGoesOn() async throws {
            try await withHost { host in
                let code = try await host.commands.whileRunning(
                    HostUnderTest.nestbox, ["create", "cluster", "demo", "--version", "v1.20.2", "--wait"]
                ) { running in
                    _ = try await running.line(with: "waiting for cluster demo")
                    running.signal(SIGINT)
                    _ = try await running.line(with: "the work goes on in the cluster")
                }
                #expect(code == 130)
                #expect(try await host.client.find(HostedCluster.self, "demo", namespace: host.namespace) != nil)
            }
        }

        @Test func whatIsDeletedMeanwhileIsNotWaitedFor() async throws {
            try await withHost { host in
                let code = try await host.commands.whileRunning(
                    HostUnderTest.nestbox, ["create", "cluster", "demo", "--version", "v1.20.2", "--wait"]
                ) { running in
                    _ = try await running.line(with: "waiting for cluster demo")
                    try await host.client.delete(HostedCluster.self, "demo", namespace: host.namespace)
                    _ = try await running.line(with: "Error: cluster demo was deleted while it was waited for")
                }
                #expect(code == 1)
            }
        }

        @Test func deletingWaitsForFinalizersAndShowsThePhase() async throws {
            try await withHost { host in
                try await host.done("create cluster demo --version v1.20.2")
                var cluster = try await host.client.get(HostedCluster.self, "demo", namespace: host.namespace)
                cluster.metadata.finalizers = ["nestbox.dev/test"]
                cluster = try await host.client.update(cluster)
                cluster.status = HostedClusterStatus(deletion: "waiting for 2 machines")
                _ = try await host.client.updateStatus(cluster)
                let hasty = try await host.nestbox("delete cluster demo --timeout 1")
                #expect(hasty.code == 124 && hasty.output.isEmpty && hasty.error.contains("waiting for 2 machines"))
                #expect(try await host.done("delete cluster demo --no-wait") == "hostedcluster.nestbox.dev/demo is being deleted\n")
                #expect(try await host.done("describe cluster demo").contains("ago: waiting for 2 machines"))
                let code = try await host.commands.whileRunning(HostUnderTest.nestbox, ["delete", "cluster", "demo"]) { running in
                    _ = try await running.line(with: "waiting for cluster demo to be gone: waiting for 2 machines")
                    try await host.kubectl("patch", "hostedcluster", "demo", "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}")
                    _ = try await running.line(with: "hostedcluster.nestbox.dev/demo deleted")
                }
                #expect(code == 0)
            }
        }

        @Test func aPoolIsWaitedForByItsReadyNodes() async throws {
            try await withHost { host in
                try await host.done("create cluster demo --version v1.20.2")
                try await host.done("create nodepool workers --cluster demo --replicas 1")
                let code = try await host.commands.whileRunning(
                    HostUnderTest.nestbox, ["scale", "nodepool", "workers", "--replicas", "2", "--wait"]
                ) { running in
                    _ = try await running.line(with: "0 of 2 nodes are ready")
                    var pool = try await host.client.get(NodePool.self, "workers", namespace: host.namespace)
                    pool.status = NodePoolStatus(observedGeneration: pool.metadata.generation, replicas: 2, readyReplicas: 2)
                    _ = try await host.client.updateStatus(pool)
                    _ = try await running.line(with: "node pool workers is complete after")
                }
                #expect(code == 0)
            }
        }

        @Test func aClusterIsScaledAndWaitedForByItsReplicas() async throws {
            try await withHost { host in
                try await host.done("create cluster demo --version v1.20.2")
                let code = try await host.commands.whileRunning(
                    HostUnderTest.nestbox, ["scale", "cluster", "demo", "--replicas", "3", "--wait"]
                ) { running in
                    _ = try await running.line(with: "hostedcluster.nestbox.dev/demo scaled")
                    _ = try await running.line(with: "the operator has not seen it yet")
                    var cluster = try await host.client.get(HostedCluster.self, "demo", namespace: host.namespace)
                    #expect(cluster.spec?.controlPlane?.replicas == 3)
                    func report(_ step: String?, _ replicas: ReplicaCounts, members: Int) async throws {
                        var conditions = ConditionSet(nil, generation: 1)
                        conditions.set("Available", true, reason: "Serving", message: "")
                        conditions.set("Progressing", step != nil, reason: "Scaling", message: step ?? "")
                        cluster.status = HostedClusterStatus(
                            observedGeneration: cluster.metadata.generation, conditions: conditions.list, release: "v0.2.0",
                            controlPlane: replicas, etcd: EtcdMemberCounts(members: members, ready: members))
                        cluster = try await host.client.updateStatus(cluster)
                    }
                    try await report("etcd-1 joins", ReplicaCounts(replicas: 3, running: 1, ready: 1), members: 1)
                    _ = try await running.line(with: "waiting for cluster demo to be scaled: etcd-1 joins")
                    // A pod that is on its way out still runs.
                    try await report(nil, ReplicaCounts(replicas: 3, running: 4, ready: 3), members: 3)
                    _ = try await running.line(with: "3 of 3 control-plane pods serve")
                    try await report(nil, ReplicaCounts(replicas: 3, running: 3, ready: 3), members: 3)
                    _ = try await running.line(with: "cluster demo is scaled after")
                }
                #expect(code == 0)
                _ = try await host.client.patch(
                    HostedCluster.self, "demo", namespace: host.namespace, merge: ["spec": ["release": "v0.1.0"]])
                let refused = try await host.nestbox("scale cluster demo --replicas 1")
                #expect(
                    refused.code == 64 && refused.error.contains("upgrade it first: nestbox upgrade cluster demo --release"),
                    "\(refused.error)")
            }
        }

        @Test func watchingShowsWhatComesAndGoes() async throws {
            try await withHost { host in
                try await host.done("create cluster first --version v1.20.2")
                let code = try await host.commands.whileRunning(HostUnderTest.nestbox, ["get", "clusters", "-w"]) { running in
                    _ = try await running.line(with: "first")
                    try await host.done("create cluster second --version v1.20.3")
                    let row = try await running.line(with: "second")
                    #expect(row.hasPrefix("second   v1.20.3   Unknown"))
                    try await setAvailable(true, "it serves", of: "second", in: host)
                    _ = try await running.line(with: "True")
                    let heading = await running.all().filter { $0.hasPrefix("NAME") }
                    #expect(heading.count == 1)
                    running.signal(SIGTERM)
                }
                #expect(code == 128 + 15)
            }
        }

        @Test func watchingOneByNameKeepsToIt() async throws {
            try await withHost { host in
                let none = try await host.nestbox("get cluster one -w")
                #expect(none.code == 1 && none.error.contains("\"one\" not found"))
                try await host.done("create cluster one --version v1.20.2")
                let code = try await host.commands.whileRunning(HostUnderTest.nestbox, ["get", "cluster", "one", "-w", "-o", "name"]) {
                    running in
                    _ = try await running.line(with: "hostedcluster.nestbox.dev/one")
                    try await host.done("create cluster two --version v1.20.2")
                    try await setAvailable(true, "it serves", of: "one", in: host)
                    try await eventually("the change of one") { await running.all().count == 2 }
                    #expect(await running.all().allSatisfy { $0.hasSuffix("/one") })
                    running.signal(SIGTERM)
                }
                #expect(code == 128 + 15)
            }
        }

        /// As after `| head -1`: no crash, and not another word.
        @Test func whenNobodyReadsOnItEndsQuietly() async throws {
            try await withHost { host in
                try await host.done("create cluster one --version v1.20.2")
                let script = "\(HostUnderTest.nestbox) get clusters -w 2>\(host.folder)/said | head -1; echo ${PIPESTATUS[0]}"
                let outcome = try await withThrowingTaskGroup(of: CommandRun.Outcome?.self) { group in
                    group.addTask { try await host.commands.outcome("bash", ["-c", script]) }
                    // head takes one line; the next one that is written has nobody to read it.
                    group.addTask {
                        while !Task.isCancelled {
                            try await setAvailable(true, "\(UUID())", of: "one", in: host)
                            try await Task.sleep(for: .milliseconds(50))
                        }
                        return nil
                    }
                    defer { group.cancelAll() }
                    return try #require(try await group.next() ?? nil)
                }
                #expect(outcome.output.hasPrefix("NAME") && outcome.output.hasSuffix("141\n"))
                #expect(try String(contentsOfFile: "\(host.folder)/said", encoding: .utf8).isEmpty)
            }
        }
    }
}
