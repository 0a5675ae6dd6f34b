import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// The built `nestbox upgrade`; the test answers as an operator would.
    @Suite struct UpgradeCommandTests {
        private static let time = "2026-08-01T12:00:00Z"

        /// With a cluster that serves 1.20.2.
        private func withCluster(_ body: @escaping @Sendable (HostUnderTest) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                _ = try await host.client.create(
                    HostedCluster(
                        metadata: ObjectMeta(name: "demo", namespace: host.namespace),
                        spec: HostedClusterSpec(version: KubernetesVersion(1, 20, 2), release: "v0.1.0")))
                try await change(in: host) {
                    $0.version = KubernetesVersion(1, 20, 2)
                    $0.release = "v0.1.0"
                    $0.follow(PinnedVersion(KubernetesVersion(1, 20, 2), release: "v0.1.0"), at: Self.time)
                    $0.noteCompleted(at: Self.time)
                }
                try await body(host)
            }
        }

        private func cluster(in host: HostUnderTest) async throws -> HostedCluster {
            try await host.client.get(HostedCluster.self, "demo", namespace: host.namespace)
        }

        private func change(in host: HostUnderTest, _ change: @escaping @Sendable (inout HostedClusterStatus) -> Void) async throws {
            try await retryOnConflict {
                var cluster = try await cluster(in: host)
                var status = cluster.status ?? HostedClusterStatus()
                status.observedGeneration = cluster.metadata.generation
                change(&status)
                cluster.status = status
                _ = try await host.client.updateStatus(cluster)
            }
        }

        /// Waits for a question, answers it, and returns it.
        @discardableResult
        private func answer(_ checks: [UpgradeCheck], in host: HostUnderTest, after last: String? = nil) async throws -> UpgradeRequest {
            var found: UpgradeRequest?
            try await eventually("a question") {
                found = try await cluster(in: host).metadata.annotations?[UpgradeRequest.annotation].flatMap {
                    UpgradeRequest(annotation: $0)
                }
                return found != nil && found?.id != last
            }
            let request = try #require(found)
            try await change(in: host) {
                $0.upgradeCheck = UpgradeAnswer(
                    id: request.id, version: request.version ?? KubernetesVersion(1, 20, 2), release: request.release ?? "v0.1.0",
                    checks: checks,
                    answeredAt: Self.time)
            }
            return request
        }

        @Test func whatNeedsNoLookIsRefusedAtOnce() async throws {
            try await withCluster { host in
                for (arguments, words) in [
                    ("--to v1.22.0", "v1.22.0 is more than one minor release after v1.20.2: upgrade to 1.21 first"),
                    ("--to v1.20.1", "v1.20.1 is older than v1.20.2, and a control plane cannot go back"),
                    (
                        "--to v1.20.3 --release v9",
                        "spec.release: \"v9\" is not a release that this Nestbox knows: it renders v0.1.0 and v0.2.0"
                    ),
                ] {
                    let outcome = try await host.nestbox("upgrade cluster demo \(arguments)")
                    #expect(outcome.code == 1 && outcome.error == "Error: cluster demo is not upgraded: \(words)\n", "\(outcome)")
                }
                #expect(try await host.nestbox("upgrade cluster demo").code == 64)
                #expect(try await host.nestbox("upgrade cluster demo --to v1.21.0 --check --wait").code == 64)
                let cluster = try await cluster(in: host)
                #expect(cluster.spec?.version == KubernetesVersion(1, 20, 2) && cluster.metadata.annotations == nil)
            }
        }

        @Test func aCheckAloneTouchesNothing() async throws {
            try await withCluster { host in
                async let outcome = host.nestbox("upgrade cluster demo --to v1.21.0 --check --timeout 60")
                let request = try await answer(
                    [UpgradeCheck("Version", .passed, "from here to there"), UpgradeCheck("Nodes", .warning, "mind them")], in: host)
                #expect(request.version == KubernetesVersion(1, 21, 0) && request.release == nil)
                let seen = try await outcome
                #expect(seen.code == 0, "\(seen)")
                let rows = seen.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
                #expect(rows.first == ["CHECK", "RESULT", "MESSAGE"] && rows.last == ["Nodes", "Warning", "mind", "them"])

                async let second = host.nestbox("upgrade cluster demo --to v1.21.0 --check --timeout 60")
                try await answer([UpgradeCheck("Etcd", .failed, "etcd-0 raises NOSPACE")], in: host, after: request.id)
                let failed = try await second
                #expect(failed.code == 1 && failed.error.contains("cluster demo is not upgraded: etcd-0 raises NOSPACE"), "\(failed)")
                #expect(try await cluster(in: host).spec?.version == KubernetesVersion(1, 20, 2))
            }
        }

        @Test func anUpgradeIsBegunWhenTheChecksPassAndWaitedFor() async throws {
            try await withCluster { host in
                async let outcome = host.nestbox("upgrade cluster demo --to v1.21.0 --release v0.2.0 --wait --timeout 60")
                try await answer([UpgradeCheck("Nodes", .warning, "mind them")], in: host)
                try await eventually("the spec to change") { try await cluster(in: host).spec?.version == KubernetesVersion(1, 21, 0) }
                try await change(in: host) {
                    $0.follow(PinnedVersion(KubernetesVersion(1, 21, 0), release: "v0.2.0"), at: Self.time)
                    $0.noteCompleted(at: Self.time)
                }
                let seen = try await outcome
                #expect(seen.code == 0 && seen.output == "hostedcluster.nestbox.dev/demo upgrading\n", "\(seen)")
                #expect(seen.error.contains("Warning: mind them\n"))
                #expect(try await cluster(in: host).spec?.release == "v0.2.0")
            }
        }

        @Test func oneThatStopsFailsTheWait() async throws {
            try await withCluster { host in
                async let outcome = host.nestbox("upgrade cluster demo --to v1.21.0 --wait --timeout 60")
                try await answer([UpgradeCheck("Version", .passed, "")], in: host)
                try await eventually("the spec to change") { try await cluster(in: host).spec?.version == KubernetesVersion(1, 21, 0) }
                let generation = try await cluster(in: host).metadata.generation
                try await change(in: host) {
                    var conditions = ConditionSet(nil, generation: generation)
                    conditions.set("Progressing", false, reason: "UpgradeStopped", message: "the image is not there")
                    $0.conditions = conditions.list
                    $0.follow(PinnedVersion(KubernetesVersion(1, 21, 0), release: "v0.1.0"), at: Self.time)
                }
                let seen = try await outcome
                #expect(seen.code == 1 && seen.error.contains("the upgrade of cluster demo has stopped: the image is not there"), "\(seen)")
                // And back.
                async let back = host.nestbox("upgrade cluster demo --to v1.20.2 --timeout 60")
                try await answer(
                    [UpgradeCheck("Version", .passed, "")], in: host, after: try await cluster(in: host).status?.upgradeCheck?.id)
                #expect(try await back.code == 0)
                #expect(try await cluster(in: host).spec?.version == KubernetesVersion(1, 20, 2))
                // Once it has served, it is refused.
                try await change(in: host) { $0.noteServed(at: Self.time) }
                let late = try await host.nestbox("upgrade cluster demo --to v1.20.2")
                #expect(
                    late.code == 1 && late.error.contains("v1.20.2 is older than v1.21.0, and a control plane cannot go back"), "\(late)")
            }
        }
    }
}
