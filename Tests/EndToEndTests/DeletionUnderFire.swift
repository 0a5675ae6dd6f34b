import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// Deletion ends, however it was asked for, and whenever the operator is killed on the way.
    @Suite("Deletion under fire", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(60)))
    struct DeletionUnderFire {
        private static let namespace = "tenant-a"

        @Test(arguments: ["cluster", "namespace"])
        func endsWithTheOperatorKilledAtEachStep(what: String) async throws {
            try await TestLab.with(machines: 1) { lab in
                let host = lab.host
                try await host.kubectl("create", "namespace", Self.namespace)
                _ = try await lab.createTenant("demo", namespace: Self.namespace, replicas: 1)
                if what == "cluster" {
                    try await host.nestbox("delete", "cluster", "demo", "-n", Self.namespace, "--no-wait")
                } else {
                    try await host.kubectl("delete", "namespace", Self.namespace, "--wait=false")
                }
                let killed = try await killAtEachStep(lab)
                print("killed the operator at: \(killed.joined(separator: "; "))")
                #expect(killed.count >= 5, "\(killed)")
                try await lab.expectClean("worker-1")
                #expect(try await !host.kubectl("get", "namespaces", "-o", "name").contains("hcp-"))
                #expect(try await host.kubectl("get", "hostedclusters,nodepools", "-A", "-o", "name") == "")
                if what == "namespace" {
                    try await host.kubectl("wait", "--for=delete", "namespace/\(Self.namespace)", "--timeout=120s")
                }
            }
        }

        /// Kills both halves of the operator each time that the deletion is seen at a step for the first time, until nothing is left of the
        /// cluster. Returns the steps.
        private func killAtEachStep(_ lab: TestLab) async throws -> [String] {
            var seen: [String] = []
            let deadline = ContinuousClock.now + .seconds(1200)
            while ContinuousClock.now < deadline {
                let cluster = try await lab.host.kubectl(
                    "get", "hostedclusters", "-A", "-o", "jsonpath={range .items[*]}{.metadata.name}: {.status.deletion}{end}")
                let machine = try await lab.host.kubectl(
                    "get", "machine", "worker-1", "-o",
                    "jsonpath={.status.phase} {.status.plan.name} {range .status.plan.steps[?(@.state==\"Running\")]}{.name}{end}")
                if cluster.isEmpty, machine.hasPrefix("Available") { return seen }
                for step in ["cluster \(cluster)", "machine \(machine)"] where !seen.contains(step) {
                    seen.append(step)
                    try await lab.host.kubectl(
                        "-n", "nestbox-system", "delete", "pods", "--all", "--grace-period=0", "--force", "--wait=false")
                }
            }
            throw CommandRun.Failed(description: "the deletion did not end; the operator was killed at: \(seen.joined(separator: "; "))")
        }
    }
}
