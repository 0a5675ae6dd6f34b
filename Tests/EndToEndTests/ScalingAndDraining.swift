import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// A pool that grows beyond its inventory, shrinks against the tenant's will, thinks better of it, and ends.
    @Suite("Scaling and draining", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(45)))
    struct ScalingAndDraining {
        @Test func fromNothingToThreeToOneToNothing() async throws {
            try await TestLab.with(machines: 3) { lab in
                let clock = ContinuousClock()
                var times: [String] = []
                let tenant = try await lab.createTenant("demo", replicas: 0)
                // Not registered yet.
                try await lab.host.nestbox("delete", "machine", "worker-3")
                var start = clock.now
                try await scale(lab, to: 3)
                try await beyondTheInventory(lab)
                times.append("0 to 3, of which one was registered on the way: \(clock.now - start)")

                try await deploy(lab, tenant)
                try await lab.host.kubectl("annotate", "machine", "worker-2", "nestbox.dev/deletion-cost=-2")
                try await lab.host.kubectl("annotate", "machine", "worker-3", "nestbox.dev/deletion-cost=-1")
                start = clock.now
                try await scale(lab, to: 1)
                let deadline = try await theBudgetBlocks(lab, tenant)
                try await calledOff(lab, tenant)
                try await scale(lab, to: 1)
                try await draining(lab, "worker-3", containing: "The disruption budget web")
                // It takes 40 seconds to end, of the 600 that it has, and is given them.
                try await tenant.kubectl("wait", "--for=delete", "pod/slow", "--timeout=120s")
                #expect(Date() < deadline, "it ended by itself, and was not killed at the end of its grace period")
                let lifted = clock.now
                try await tenant.kubectl("delete", "poddisruptionbudget", "web")
                for machine in ["worker-2", "worker-3"] { try await lab.expectClean(machine) }
                times.append("3 to 1: \(clock.now - start), of which \(clock.now - lifted) after the budget was lifted")
                #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n")
                try await tenant.kubectl("rollout", "status", "deployment/web", "--timeout=120s")

                start = clock.now
                try await lab.host.nestbox("scale", "nodepool", "workers", "--replicas", "0", "--wait", "--timeout", "600")
                try await lab.expectClean("worker-1")
                times.append("1 to 0: \(clock.now - start)")
                #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "")
                print(times.joined(separator: "\n"))
            }
        }

        private func scale(_ lab: TestLab, to replicas: Int) async throws {
            try await lab.host.kubectl("scale", "nodepool", "workers", "--replicas=\(replicas)")
        }

        private func phase(_ lab: TestLab, _ machine: String, is phase: String, within limit: Duration = .seconds(120)) async throws {
            try await CommandRun.eventually(within: limit, "\(machine) to be \(phase)") {
                guard try await lab.phase(of: machine) == phase else {
                    throw CommandRun.Failed(description: try await lab.host.kubectl("get", "machine", machine, "-o", "yaml"))
                }
            }
        }

        /// Waits until the condition of the Machine says what keeps its drain.
        private func draining(_ lab: TestLab, _ machine: String, containing text: String) async throws {
            try await CommandRun.eventually(within: .seconds(60), "\(machine) to say \"\(text)\"") {
                let said = try await lab.host.kubectl(
                    "get", "machine", machine, "-o", "jsonpath={.status.phase}: {.status.conditions[?(@.type==\"Draining\")].message}")
                guard said.hasPrefix("Draining: "), said.contains(text) else { throw CommandRun.Failed(description: said) }
            }
        }

        private func beyondTheInventory(_ lab: TestLab) async throws {
            let condition = "jsonpath={.status.conditions[?(@.type==\"MachinesAvailable\")].message}"
            try await CommandRun.eventually("the pool to say what it lacks") {
                let said = try await lab.host.kubectl("get", "nodepool", "workers", "-o", condition)
                guard said.hasPrefix("1 of 3 replicas lack a Machine: of 2 Machines 2 are this pool's already") else {
                    throw CommandRun.Failed(description: said)
                }
            }
            for machine in ["worker-1", "worker-2"] { try await phase(lab, machine, is: "Ready", within: .seconds(600)) }
            // That it is registered is all it takes.
            try await lab.host.run("scripts/register-lab-machines.sh", [lab.name])
            try await phase(lab, "worker-3", is: "Ready", within: .seconds(600))
            #expect(try await lab.host.kubectl("get", "nodepool", "workers", "-o", condition) == "")
        }

        private func deploy(_ lab: TestLab, _ tenant: CommandRun) async throws {
            try await tenant.apply(
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: web}
                spec:
                  replicas: 3
                  selector: {matchLabels: {app: web}}
                  template:
                    metadata: {labels: {app: web}}
                    spec:
                      terminationGracePeriodSeconds: 1
                      topologySpreadConstraints:
                        - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: web}}}
                      containers:
                        - {name: c, image: "nestbox.dev/busybox:1", imagePullPolicy: IfNotPresent, command: [sleep, "100000"]}
                ---
                apiVersion: \(lab.budgetAPIVersion)
                kind: PodDisruptionBudget
                metadata: {name: web}
                spec: {minAvailable: 3, selector: {matchLabels: {app: web}}}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: unmanaged}
                spec:
                  nodeName: worker-2
                  terminationGracePeriodSeconds: 1
                  containers:
                    - {name: c, image: "nestbox.dev/busybox:1", imagePullPolicy: IfNotPresent, command: [sleep, "100000"]}
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: scratch}
                spec:
                  nodeName: worker-2
                  terminationGracePeriodSeconds: 1
                  volumes: [{name: data, emptyDir: {}}]
                  containers:
                    - name: c
                      image: nestbox.dev/busybox:1
                      imagePullPolicy: IfNotPresent
                      command: [sh, -c, "echo kept > /data/file; exec sleep 100000"]
                      volumeMounts: [{name: data, mountPath: /data}]
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: slow}
                spec:
                  nodeName: worker-3
                  terminationGracePeriodSeconds: 600
                  containers:
                    - name: c
                      image: nestbox.dev/busybox:1
                      imagePullPolicy: IfNotPresent
                      command: [sh, -c, "trap 'sleep 40; exit 0' TERM; while :; do sleep 1; done"]
                """)
            try await tenant.kubectl("rollout", "status", "deployment/web", "--timeout=300s")
            try await tenant.kubectl("wait", "--for=condition=Ready", "pod/unmanaged", "pod/scratch", "pod/slow", "--timeout=120s")
            let nodes = try await tenant.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].spec.nodeName}")
            guard Set(nodes.split(separator: " ")).count == 3 else {
                throw CommandRun.Failed(description: "the pods of web are not on three nodes: \(nodes)")
            }
        }

        /// - Returns: when the pod with a long grace period would be killed.
        private func theBudgetBlocks(_ lab: TestLab, _ tenant: CommandRun) async throws -> Date {
            let words = "The disruption budget web needs 3 healthy pods and has 3 currently"
            for machine in ["worker-2", "worker-3"] {
                try await draining(lab, machine, containing: words)
                try await CommandRun.eventually("an event on \(machine)") {
                    let events = try await lab.host.kubectl(
                        "get", "events", "-n", "default", "--field-selector", "involvedObject.name=\(machine),reason=DrainBlocked", "-o",
                        "jsonpath={.items[*].message}")
                    guard events.contains(words), events.contains("default/web-") else { throw CommandRun.Failed(description: events) }
                }
            }
            #expect(try await lab.phase(of: "worker-1") == "Ready")
            try await draining(lab, "worker-3", containing: "waits for the end of pod default/slow, until ")
            // The other pods' grace period is over by far: this one is there still.
            let end = try await tenant.kubectl("get", "pod", "slow", "-o", "jsonpath={.metadata.deletionTimestamp}")
            // What no budget holds has gone, though nothing brings it back.
            try await tenant.kubectl("wait", "--for=delete", "pod/unmanaged", "pod/scratch", "--timeout=60s")
            return try Date(end, strategy: .iso8601)
        }

        private func calledOff(_ lab: TestLab, _ tenant: CommandRun) async throws {
            func web() async throws -> String {
                try await tenant.kubectl(
                    "get", "pods", "-l", "app=web", "--sort-by=.metadata.name", "-o", "jsonpath={.items[*].metadata.uid}")
            }
            let before = try await web()
            let node = try await tenant.kubectl("get", "node", "worker-3", "-o", "jsonpath={.metadata.uid}")
            try await scale(lab, to: 2)
            try await phase(lab, "worker-3", is: "Ready")
            try await CommandRun.eventually(within: .seconds(20), "worker-3 to take pods again") {
                let cordoned = try await tenant.kubectl("get", "node", "worker-3", "-o", "jsonpath={.spec.unschedulable}")
                guard cordoned != "true" else { throw CommandRun.Failed(description: "it is cordoned") }
            }
            #expect(try await tenant.kubectl("get", "node", "worker-3", "-o", "jsonpath={.metadata.uid}") == node)
            #expect(try await lab.host.kubectl("get", "machine", "worker-3", "-o", "jsonpath={.status.claim.released}") == "")
            #expect(try await lab.phase(of: "worker-2") == "Draining")
            #expect(try await web() == before, "no pod of web was moved")
        }
    }
}
