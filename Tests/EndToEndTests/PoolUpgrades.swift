import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// A pool's nodes get other kubelets and other configurations, in both ways, and what goes wrong stops at the first machine.
    ///
    /// The second version is a stamp of the first: it reports another number and is the same program, which is enough for all
    /// that an upgrade moves, and says nothing about Kubernetes' own changes between versions.
    @Suite("Pools are upgraded", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(60)))
    struct PoolUpgrades {
        @Test func nodesGetNewVersionsAndConfigurations() async throws {
            try await TestLab.with(machines: 3, stamp: true) { lab in
                try await lab.host.nestbox("create", "cluster", "demo", "--version", lab.stamp, "--wait", "--timeout", "600")
                try await lab.host.apply(
                    """
                    apiVersion: nestbox.dev/v1alpha1
                    kind: NodePool
                    metadata: {name: workers, namespace: default}
                    spec:
                      clusterName: demo
                      replicas: 2
                      version: \(lab.version)
                      upgrade: {type: Replace, maxSurge: 1, maxUnavailable: 0, readyTimeout: 5m}
                      drainTimeout: 3m
                    """)
                let settings = try await lab.onMachine("worker-1", "cat /proc/sys/net/core/somaxconn")
                let pool = UpgradedPool(lab: lab, tenant: try await lab.tenant("demo"))
                try await pool.rollout("status")
                #expect(try await Set(pool.versions().values) == [lab.version])
                try await pool.serve()

                try await changesOfLabelsAndTaintsRollNothing(pool)
                try await otherMachinesTakeTheirPlaces(pool)
                try await aBrokenConfigurationStopsAtTheFirstNewMachine(pool)
                try await pool.set("{\"upgrade\": {\"type\": \"InPlace\", \"maxSurge\": 0, \"maxUnavailable\": 1}}")
                try await theSameMachinesGetAnotherKubelet(pool)
                try await theSameMachinesGetAnotherConfiguration(pool)
                try await aBrokenConfigurationIsTakenBackOnTheFirstMachine(pool)

                try await lab.host.nestbox("delete", "cluster", "demo", "--timeout", "300")
                for machine in ["worker-1", "worker-2", "worker-3"] {
                    try await lab.expectClean(machine)
                    let left = try await lab.onMachine(
                        machine,
                        "ls /etc/pool.conf /etc/sysctl.d/99-nestbox-pool.conf /opt/nestbox 2>/dev/null; cat /proc/sys/net/core/somaxconn")
                    #expect(left == settings, "\(machine)")
                }
            }
        }

        private func changesOfLabelsAndTaintsRollNothing(_ pool: UpgradedPool) async throws {
            let before = try await pool.nodes()
            try await pool.set("{\"labels\": {\"tier\": \"gold\"}, \"taints\": [{\"key\": \"slow\", \"effect\": \"PreferNoSchedule\"}]}")
            func marks() async throws -> String {
                try await pool.tenant.kubectl(
                    "get", "nodes", "-o", "jsonpath={range .items[*]}{.metadata.labels.tier}{.spec.taints[*].key} {end}")
            }
            try await CommandRun.eventually(within: .seconds(30), "the nodes to have the pool's label and taint") {
                let found = try await marks()
                guard found == "goldslow goldslow " else { throw CommandRun.Failed(description: found) }
            }
            try await pool.set("{\"labels\": null, \"taints\": null}")
            try await CommandRun.eventually(within: .seconds(30), "the nodes to have neither") {
                let found = try await marks()
                guard found == "  " else { throw CommandRun.Failed(description: found) }
            }
            #expect(try await pool.nodes() == before)
            #expect(try await pool.condition("Progressing") == "True RolledOut")
        }

        /// A third machine joins, an old one goes and comes back, until both are new.
        private func otherMachinesTakeTheirPlaces(_ pool: UpgradedPool) async throws {
            let before = try await pool.nodes()
            let watch = try await pool.watching(leastReady: 2, leastPods: 1) {
                try await pool.set("{\"version\": \"\(pool.lab.stamp)\"}")
                try await pool.rollout("status")
            }
            #expect(watch == [], "there always were two nodes, and a pod that answers")
            #expect(try await Set(pool.versions().values) == [pool.lab.stamp])
            #expect(try await Set(pool.nodes().values).isDisjoint(with: before.values))
            #expect(try await pool.status("updatedReplicas") == "2")
            #expect(try await pool.status("versions") == "{\"\(pool.lab.stamp)\":2}")
        }

        private func aBrokenConfigurationStopsAtTheFirstNewMachine(_ pool: UpgradedPool) async throws {
            let before = try await pool.nodes()
            try await pool.set("{\"nodeConfiguration\": {\"preJoinCommands\": [\"echo the disk is not there >&2; exit 3\"]}}")
            try await pool.eventuallyPaused("the disk is not there")
            let stopped = try await pool.lab.host.outcome("\(CommandRun.products)/nestbox", ["rollout", "status", "nodepool", "workers"])
            #expect(stopped.code == 1 && stopped.error.contains("the disk is not there"), "\(stopped)")
            #expect(try await pool.nodes() == before)
            try await pool.rollout("undo")
            try await pool.rollout("status")
            #expect(try await pool.nodes() == before)
            #expect(try await pool.condition("RolloutPaused") == "False NotPaused")
            for machine in ["worker-1", "worker-2", "worker-3"] where before[machine] == nil { try await pool.lab.expectClean(machine) }
        }

        /// By taking back the version: the kubelets are swapped where they are.
        private func theSameMachinesGetAnotherKubelet(_ pool: UpgradedPool) async throws {
            let before = try await pool.nodes()
            let watch = try await pool.watching(leastReady: 1, leastPods: 1) {
                // The one before is the broken one that was taken back.
                try await pool.rollout("undo", "--to-revision", "1")
                try await pool.rollout("status")
            }
            #expect(watch == [])
            #expect(try await Set(pool.versions().values) == [pool.lab.version])
            #expect(try await pool.nodes() == before, "they are the Nodes that they were")
            #expect(try await pool.tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.unschedulable}") == "")
        }

        private func theSameMachinesGetAnotherConfiguration(_ pool: UpgradedPool) async throws {
            let before = try await pool.nodes()
            try await pool.set(
                """
                {"nodeConfiguration": {"kubelet": {"maxPods": 42}, "sysctls": {"net.core.somaxconn": "1234"},
                  "files": [{"path": "/etc/pool.conf", "mode": "0600", "content": "a pool's"}],
                  "containerd": {"registries": [{"host": "registry.example.com", "mirrors": ["https://mirror.example.com"]}]},
                  "postJoinCommands": ["cp /etc/pool.conf /run/pool.copy"]}}
                """)
            try await pool.rollout("status")
            #expect(try await pool.nodes() == before)
            #expect(try await pool.tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.capacity.pods}") == "42 42")
            for machine in before.keys {
                let found = try await pool.lab.onMachine(
                    machine,
                    "cat /proc/sys/net/core/somaxconn /run/pool.copy; stat -c %a /etc/pool.conf; ls /etc/nestbox/certs.d; ls /opt/nestbox")
                #expect(found.hasPrefix("1234\na pool's\n600\nregistry.example.com\n"), "\(machine): \(found)")
                #expect(!found.contains("previous") && !found.contains("next"), "\(machine): \(found)")
                try await pool.lab.onMachine(machine, "rm /run/pool.copy")
            }
            try await pool.expectPodsRun()
        }

        private func aBrokenConfigurationIsTakenBackOnTheFirstMachine(_ pool: UpgradedPool) async throws {
            let before = try await pool.nodes()
            try await pool.set(
                "{\"nodeConfiguration\": {\"kubelet\": {\"maxPods\": \"many\"}, \"sysctls\": {\"net.core.somaxconn\": \"999\"}}}")
            try await pool.eventuallyPaused("the kubelet does not come up")
            // What was there before runs again, and the other node was not touched.
            try await pool.tenant.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
            #expect(try await pool.tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[*].spec.unschedulable}") == "")
            for machine in before.keys {
                #expect(try await pool.lab.onMachine(machine, "cat /proc/sys/net/core/somaxconn") == "1234\n", "\(machine)")
            }
            try await pool.rollout("undo")
            try await pool.rollout("status")
            #expect(try await pool.nodes() == before)
            #expect(try await pool.tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.capacity.pods}") == "42 42")
            try await pool.expectPodsRun()
        }
    }

    /// The pool that is upgraded, as its provider and its tenant see it.
    private struct UpgradedPool {
        let lab: TestLab
        let tenant: CommandRun

        /// A Deployment of two, of which one is always to run.
        func serve() async throws {
            try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
            try await tenant.apply(
                """
                apiVersion: \(lab.budgetAPIVersion)
                kind: PodDisruptionBudget
                metadata: {name: hello, namespace: default}
                spec:
                  minAvailable: 1
                  selector: {matchLabels: {app: hello}}
                """)
            try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
        }

        func expectPodsRun() async throws {
            try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
            #expect(try await tenant.shell("timeout 60 \(tenant.kubectl) exec deployment/hello -- hostname").hasPrefix("hello-"))
        }

        func set(_ spec: String) async throws {
            try await lab.host.kubectl("patch", "nodepool", "workers", "--type=merge", "-p", "{\"spec\": \(spec)}")
        }

        func rollout(_ verb: String, _ more: String...) async throws {
            let limit = verb == "status" ? ["--timeout", "900"] : []
            try await lab.host.nestbox(["rollout", verb, "nodepool", "workers"] + more + limit)
        }

        /// The Nodes' UIDs, by their names.
        func nodes() async throws -> [String: String] { try await table("{.metadata.uid}") }

        func versions() async throws -> [String: String] { try await table("{.status.nodeInfo.kubeletVersion}") }

        private func table(_ field: String) async throws -> [String: String] {
            let text = try await tenant.kubectl("get", "nodes", "-o", "jsonpath={range .items[*]}{.metadata.name} \(field){'\\n'}{end}")
            let pairs = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            return Dictionary(pairs.map { ($0[0], $0.count > 1 ? $0[1] : "") }, uniquingKeysWith: { _, last in last })
        }

        func status(_ field: String) async throws -> String {
            try await lab.host.kubectl("get", "nodepool", "workers", "-o", "jsonpath={.status.\(field)}")
        }

        func condition(_ type: String) async throws -> String {
            let filter = ".status.conditions[?(@.type==\"\(type)\")]"
            return try await lab.host.kubectl("get", "nodepool", "workers", "-o", "jsonpath={\(filter).status} {\(filter).reason}")
        }

        func eventuallyPaused(_ words: String) async throws {
            try await CommandRun.eventually(within: .seconds(400), "the rollout to stop") {
                let told = try await lab.host.kubectl(
                    "get", "nodepool", "workers", "-o",
                    "jsonpath={.status.conditions[?(@.type==\"RolloutPaused\")].status} {.status.conditions[?(@.type==\"RolloutPaused\")].message}"
                )
                guard told.hasPrefix("True Machine worker-"), told.contains(words) else { throw CommandRun.Failed(description: told) }
            }
        }

        private func lacking(ready: Int, pods: Int) async throws -> String? {
            let states = try await tenant.kubectl(
                "get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type==\"Ready\")].status}")
            let nodes = states.split(separator: " ").filter { $0 == "True" }.count
            let available = try await tenant.kubectl("get", "deployment", "hello", "-o", "jsonpath={.status.availableReplicas}")
            guard nodes < ready || (Int(available) ?? 0) < pods else { return nil }
            // Who reads this was not there.
            let seen = try await tenant.kubectl("get", "nodes,pods,replicasets,poddisruptionbudgets,events", "-o", "wide")
            let conditions = try await tenant.kubectl(
                "get", "nodes,pods", "-o",
                "jsonpath={range .items[*]}{.metadata.name} {.status.conditions[?(@.type==\"Ready\")]}{\"\\n\"}{end}")
            return "\(Date()): \(nodes) nodes were ready, \(Int(available) ?? 0) pods were available:\n\(seen)\n\(conditions)"
        }

        /// What was seen to be too few while the body ran.
        func watching(leastReady: Int, leastPods: Int, _ body: @escaping @Sendable () async throws -> Void) async throws -> [String] {
            try await withThrowingTaskGroup(of: [String]?.self) { group in
                group.addTask {
                    var seen: [String] = []
                    // A look every second or so, for as long as the body takes.
                    while !Task.isCancelled {
                        do {
                            if let lack = try await lacking(ready: leastReady, pods: leastPods) { seen.append(lack) }
                            try await Task.sleep(for: .seconds(1))
                        } catch  where Task.isCancelled {}
                    }
                    return seen
                }
                group.addTask {
                    try await body()
                    return nil
                }
                while let result = try await group.next() {
                    guard let seen = result else {
                        group.cancelAll()
                        continue
                    }
                    return seen
                }
                return []
            }
        }
    }
}
