import Foundation
import KubernetesAPI
import TestCommands
import Testing

extension InTheLab {
    /// Nodes that break are mended, machines that are gone are replaced, and a network that fails costs nothing.
    @Suite("Nodes mended", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(60)))
    struct NodesMended {
        @Test func brokenNodesAreMendedLostOnesReplacedAndANetworkFailureCostsNothing() async throws {
            try await TestLab.with(machines: 4) { lab in
                let host = lab.host
                try await host.nestbox("create", "cluster", "demo", "--version", lab.version, "--wait", "--timeout", "600")
                try await host.kubectl("apply", "-f", "nodepools/repair.yaml")
                // The least that a pool may say: a test has less time than a rack.
                try await host.kubectl(
                    "patch", "nodepool", "repaired", "--type=merge", "-p", #"{"spec": {"autoRepair": {"unhealthyTimeout": "60s"}}}"#)
                try await host.kubectl("wait", "--for=condition=Ready", "nodepool/repaired", "--timeout=900s")
                let tenant = try await lab.tenant("demo")
                try await tenant.apply(Self.workload)
                try await tenant.kubectl("rollout", "status", "statefulset/counted", "--timeout=300s")
                let nodes = try await Self.nodes(tenant)
                try #require(nodes.count == 3)
                let pods = try await Self.pods(tenant)

                try await mendsWhatARestartMends(lab, tenant, nodes)
                #expect(try await Self.pods(tenant) == pods, "no pod ran anew while its node was mended")
                try await suspendsWhenTheNetworkFails(lab, tenant, nodes)
                #expect(try await Self.pods(tenant) == pods, "no pod ran anew while the network was gone")
                try await replacesWhatIsGone(lab, tenant, nodes)
            }
        }

        /// One pod a node, of a set that must never have two of one name.
        private static let workload = """
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: counted}
            spec:
              replicas: 3
              serviceName: counted
              podManagementPolicy: Parallel
              selector: {matchLabels: {app: counted}}
              template:
                metadata: {labels: {app: counted}}
                spec:
                  terminationGracePeriodSeconds: 1
                  affinity:
                    podAntiAffinity:
                      requiredDuringSchedulingIgnoredDuringExecution:
                        - topologyKey: kubernetes.io/hostname
                          labelSelector: {matchLabels: {app: counted}}
                  containers:
                    - name: main
                      image: nestbox.dev/busybox:1
                      imagePullPolicy: IfNotPresent
                      command: [sleep, "100000"]
            """

        private static func nodes(_ tenant: CommandRun) async throws -> [String] {
            try await tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").split(separator: " ").map(String.init)
                .sorted()
        }

        /// Name, node, UID and restarts of each.
        private static func pods(_ tenant: CommandRun) async throws -> Set<String> {
            let text = try await tenant.kubectl(
                "get", "pods", "-l", "app=counted", "-o",
                "jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName} {.metadata.uid} {.status.containerStatuses[*].restartCount}{\"\\n\"}{end}"
            )
            return Set(text.split(separator: "\n").map(String.init))
        }

        private func condition(_ type: String, of object: String, _ lab: TestLab) async throws -> String {
            try await lab.host.kubectl(
                "get", object, "-o", "jsonpath={range .status.conditions[?(@.type==\"\(type)\")]}{.status} {.reason}: {.message}{end}")
        }

        private func expectEventually(
            _ what: String, within limit: Duration = .seconds(420), _ type: String, of object: String, _ lab: TestLab,
            _ isSo: @Sendable (String) -> Bool
        ) async throws {
            try await CommandRun.eventually(within: limit, what) {
                let said = try await condition(type, of: object, lab)
                guard isSo(said) else { throw CommandRun.Failed(description: "\(object) says \(type): \(said)") }
            }
        }

        private func mendsWhatARestartMends(_ lab: TestLab, _ tenant: CommandRun, _ nodes: [String]) async throws {
            let start = ContinuousClock.now
            try await lab.onMachine(nodes[0], "systemctl kill --signal=KILL nestbox-kubelet; systemctl disable --now nestbox-kubelet")
            try await lab.onMachine(nodes[1], "kill -STOP $(systemctl show --property MainPID --value nestbox-containerd)")
            for (node, cause) in [
                (nodes[0], "nestbox-kubelet.service is "), (nodes[1], "nestbox-containerd.service is stopped by a signal"),
            ] {
                try await expectEventually("\(node) to be mended", "Repairing", of: "machine/\(node)", lab) {
                    $0.hasPrefix("False Mended") && $0.contains(cause)
                }
                #expect(try await condition("NodeReady", of: "machine/\(node)", lab).hasPrefix("True"))
                print("\(node) was mended \(ContinuousClock.now - start) after it broke: \(cause)")
            }
            #expect(try await lab.onMachine(nodes[0], "systemctl is-enabled nestbox-kubelet") == "enabled\n")
            #expect(try await Self.nodes(tenant) == nodes)
            try await tenant.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")
        }

        /// The link between the host and all machines is down for longer than it takes to give up on one.
        private func suspendsWhenTheNetworkFails(_ lab: TestLab, _ tenant: CommandRun, _ nodes: [String]) async throws {
            let epochs = try await epochs(lab)
            let start = ContinuousClock.now
            try await lab.host.nestbox("lab", "exec", "--name", lab.name, "--", "ip", "link", "set", "machines0", "down")
            do {
                try await expectEventually("the repair to be suspended", "RepairSuspended", of: "nodepool/repaired", lab) {
                    $0.hasPrefix("True TooManyUnhealthy") && $0.contains("3 of 3 nodes are not Ready")
                        && $0.contains("likely it is the network")
                }
                try await expectEventually("a machine to be looked at in vain", "Repairing", of: "machine/\(nodes[0])", lab) {
                    $0.hasPrefix("True Attempted") && $0.contains("cannot be reached over SSH")
                }
            } catch {
                try await lab.host.nestbox("lab", "exec", "--name", lab.name, "--", "ip", "link", "set", "machines0", "up")
                throw error
            }
            try await lab.host.nestbox("lab", "exec", "--name", lab.name, "--", "ip", "link", "set", "machines0", "up")
            print("all machines were cut off for \(ContinuousClock.now - start)")
            for node in nodes {
                try await expectEventually("\(node) to come back", "NodeReady", of: "machine/\(node)", lab) { $0.hasPrefix("True") }
            }
            try await expectEventually("repairs to go on", "RepairSuspended", of: "nodepool/repaired", lab) { $0.hasPrefix("False") }
            #expect(try await self.epochs(lab) == epochs, "nothing was replaced")
            #expect(try await Self.nodes(tenant) == nodes)
        }

        /// Name, phase and epoch of each Machine.
        private func epochs(_ lab: TestLab) async throws -> String {
            try await lab.host.kubectl(
                "get", "machines", "-o", "jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.status.claim.epoch}{\"\\n\"}{end}")
        }

        /// A machine that is switched off gives its place to the spare; a StatefulSet's pod on it is not doubled before it is known to
        /// have ended, and comes up elsewhere once it is.
        private func replacesWhatIsGone(_ lab: TestLab, _ tenant: CommandRun, _ nodes: [String]) async throws {
            let lost = nodes[2]
            let spare = try #require(["worker-1", "worker-2", "worker-3", "worker-4"].first { !nodes.contains($0) })
            let pod = try await tenant.kubectl(
                "get", "pods", "-l", "app=counted", "--field-selector", "spec.nodeName=\(lost)", "-o", "jsonpath={.items[*].metadata.name}")
            let start = ContinuousClock.now
            try await lab.begin(.powerOff, on: lost)
            try await expectEventually("\(spare) to take its place", within: .seconds(600), "NodeReady", of: "machine/\(spare)", lab) {
                $0.hasPrefix("True")
            }
            print("\(lost) was replaced by \(spare) \(ContinuousClock.now - start) after it was switched off")
            #expect(try await lab.phase(of: lost) == "Cleaning")
            #expect(try await condition("Repairing", of: "machine/\(lost)", lab).hasPrefix("False Replaced"))
            // Nobody knows yet whether its pod has ended.
            #expect(try await tenant.kubectl("get", "node", lost, "-o", "jsonpath={.spec.unschedulable}") == "true")
            #expect(try await tenant.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}") == lost)

            // Switched on again, it is emptied, forgotten and cleaned: and the pod may run elsewhere.
            try await lab.end(.powerOff, on: lost)
            try await CommandRun.eventually(within: .seconds(300), "\(pod) to run elsewhere") {
                let node = try await tenant.kubectl("get", "pod", pod, "-o", "jsonpath={.spec.nodeName} {.status.phase}")
                guard node == "\(spare) Running" else { throw CommandRun.Failed(description: "it is on \(node)") }
            }
            try await lab.expectClean(lost)
            #expect(try await Self.nodes(tenant) == (nodes.filter { $0 != lost } + [spare]).sorted())
            #expect(try await condition("RepairSuspended", of: "nodepool/repaired", lab).hasPrefix("False"))
        }
    }
}
