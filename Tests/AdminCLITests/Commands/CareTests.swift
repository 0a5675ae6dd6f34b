import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import TestCommands
import TestKubernetes
import Testing

@testable import AdminCLI

extension Commands {
    /// Certificates, pauses and the guard against deletion, by the built `nestbox`; the test writes what an operator would.
    @Suite struct CareTests {
        private func withCluster(_ body: (HostUnderTest) async throws -> Void) async throws {
            try await HostUnderTest.with(try TestKubernetes.current()) { host in
                try await host.done("create cluster demo --version v1.20.2")
                try await body(host)
            }
        }

        private func cluster(_ host: HostUnderTest) async throws -> HostedCluster {
            try await host.client.get(HostedCluster.self, "demo", namespace: host.namespace)
        }

        private func report(_ host: HostUnderTest, _ change: (inout HostedClusterStatus) -> Void) async throws {
            try await retryOnConflict {
                var cluster = try await cluster(host)
                var status = cluster.status ?? HostedClusterStatus()
                change(&status)
                cluster.status = status
                _ = try await host.client.updateStatus(cluster)
            }
        }

        @Test func certificatesAreListedAndAskedFor() async throws {
            try await withCluster { host in
                let early = try await host.nestbox("certificates list demo")
                #expect(early.code == 1 && early.error.contains("cluster demo has no certificates yet"))
                let (start, end) = (Timestamp.format(Date()), Timestamp.format(Date().addingTimeInterval(30 * 86400)))
                try await report(host) {
                    $0.certificates = CertificatesStatus(
                        nextExpiry: end, nextRenewal: end, authorityExpiry: end,
                        items: [
                            CertificateStatus(name: "cluster-ca", kind: .authority, notBefore: start, notAfter: end),
                            CertificateStatus(
                                name: "apiserver", kind: .leaf, notBefore: start, notAfter: end, renewal: end, takenUp: .reload),
                            CertificateStatus(name: "scheduler", kind: .leaf, notBefore: start, notAfter: start, takenUp: .rollout),
                        ])
                }
                let rows = try await host.done("certificates list demo").split(separator: "\n").map(String.init)
                #expect(rows.count == 4 && rows[0].hasPrefix("NAME") && !rows[0].contains("SINCE"))
                #expect(rows[2].contains("29d") && rows[2].contains("by reloading"))
                #expect(rows[3].contains("ended") && rows[3].contains("by a rollout"))
                #expect(try await host.done("certs list demo -o wide").contains("SINCE"))
                let decoded = try JSONDecoder().decode(
                    CertificatesStatus.self, from: Data(try await host.done("certificates list demo -o json").utf8))
                #expect(decoded.items?.count == 3)
                #expect(try await host.done("describe cluster demo").contains("the first ends at \(end)"))

                #expect(
                    try await host.done("certificates renew demo apiserver")
                        == "hostedcluster.nestbox.dev/demo certificates are being renewed\n")
                let asked = try #require(try await cluster(host).pendingCertificateRenewal)
                #expect(asked.certificates == ["apiserver"])
            }
        }

        @Test func renewingWaitsForThePodsAndSaysWhatWasRefused() async throws {
            try await withCluster { host in
                @Sendable func answer(_ state: CertificateRenewalState, _ message: String? = nil) async throws {
                    let id = try #require(try await cluster(host).certificateRenewalRequest?.id)
                    try await report(host) {
                        $0.certificates = CertificatesStatus(renewal: CertificateRenewal(id: id, state: state, message: message))
                    }
                }
                let renew = ["certificates", "renew", "demo", "--wait", "--timeout", "1m"]
                let code = try await host.commands.whileRunning(HostUnderTest.nestbox, renew) { running in
                    _ = try await running.line(with: "waiting for cluster demo to be renewed: the operator has not answered yet")
                    try await answer(.issued)
                    _ = try await running.line(with: "the control plane's pods are being rolled")
                    try await answer(.completed)
                    _ = try await running.line(with: "hostedcluster.nestbox.dev/demo certificates renewed")
                }
                #expect(code == 0)
                let refused = try await host.commands.whileRunning(HostUnderTest.nestbox, renew) { running in
                    _ = try await running.line(with: "the operator has not answered yet")
                    try await answer(.refused, "x cannot be renewed")
                    _ = try await running.line(with: "Error: refused: x cannot be renewed")
                }
                #expect(refused == 1)
            }
        }

        @Test func aPauseIsSetShownAndEnded() async throws {
            try await withCluster { host in
                let name = "hostedcluster.nestbox.dev/demo"
                #expect(try await host.nestbox("resume cluster demo").error == "Error: cluster demo is not paused\n")
                #expect(try await host.done("pause cluster demo --for 2h --reason", "storage is moved").hasPrefix("\(name) paused until 2"))
                let until = try #require(try await cluster(host).spec?.pausedUntil.flatMap(Timestamp.parse))
                #expect(abs(until.timeIntervalSinceNow - 7200) < 60)
                #expect(try await host.done("get clusters -o wide").contains("(storage is moved)"))
                #expect(try await host.done("describe cluster demo").contains("Paused until:"))
                #expect(try await host.done("resume cluster demo") == "\(name) resumed\n")
                #expect(try await cluster(host).spec?.pausedUntil == nil)
                #expect(try await cluster(host).metadata.annotations?[HostedClusterAnnotation.pauseReason] == nil)

                #expect(try await host.nestbox("pause cluster demo").code == 64)
                #expect(try await host.nestbox("pause cluster demo --until tomorrow").code == 64)
                #expect(try await host.nestbox("pause cluster demo --until 2020-01-01T00:00:00Z").error.contains("is over"))
                // Paused, no certificate is renewed.
                let expiry = Timestamp.format(Date().addingTimeInterval(3600))
                try await report(host) { $0.certificates = CertificatesStatus(nextExpiry: expiry) }
                let tooLong = try await host.nestbox("pause cluster demo --for 2h")
                #expect(tooLong.code == 1 && tooLong.error.contains("the first certificate of cluster demo ends at \(expiry)"))
                try await host.done("pause cluster demo --for 30m")
                // And nobody waits for what will not be done.
                try await report(host) {
                    var conditions = ConditionSet(nil, generation: 1)
                    conditions.set("ReconciliationActive", false, reason: "Paused", message: "paused until then")
                    $0.conditions = conditions.list
                }
                let asked = try await host.nestbox("certificates renew demo")
                #expect(asked.code == 1 && asked.error.contains("first nestbox resume cluster demo"))
            }
        }

        @Test func whatIsProtectedIsNotDeletedByMistake() async throws {
            try await withCluster { host in
                let name = "hostedcluster.nestbox.dev/demo"
                #expect(try await host.done("protect cluster demo") == "\(name) protected against deletion\n")
                let refused = try await host.nestbox("delete cluster demo")
                #expect(refused.code == 1 && refused.error.contains("is protected against deletion (spec.deletionProtection)"))
                #expect(try await cluster(host).metadata.deletionTimestamp == nil)
                #expect(try await host.done("describe cluster demo").contains("Protected:"))
                #expect(try await host.done("unprotect cluster demo") == "\(name) no longer protected against deletion\n")
                #expect(try await host.done("delete cluster demo") == "\(name) deleted\n")
                try await host.done("create cluster guarded --version v1.20.2 --deletion-protection")
                #expect(try await host.nestbox("delete cluster guarded").code == 1)
                try await host.done("unprotect cluster guarded")
            }
        }
    }
}
