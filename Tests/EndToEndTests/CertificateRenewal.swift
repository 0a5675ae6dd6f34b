import Foundation
import TestCommands
import TestLoad
import Testing

extension InTheLab {
    /// Every certificate of a control plane renewed, again and again, under a client that lists, watches and writes all the time: it sees
    /// nothing of it, and neither do the nodes.
    @Suite("Certificate renewal", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(30)))
    struct CertificateRenewal {
        private static let times = 5

        @Test func nobodySeesARenewal() async throws {
            try await TestLab.with(machines: 1) { lab in
                let tenant = try await lab.createTenant("demo", replicas: 1)
                try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
                try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
                let log = LoadLog()
                let since = try await lab.available()
                try await lab.underLoad(tenant, log) { load in
                    for _ in 1...Self.times { try await renewAll(lab, log) }
                    try await Task.sleep(for: .seconds(5))
                    #expect(try await load.lost() == [])
                }
                let record = await log.record
                print(record.table.joined(separator: "\n"))
                #expect(record.failures.isEmpty, "\(record.failures)")
                #expect(try await lab.available() == since, "the tenant was not Available for a moment")
                // The kubelet takes the API server's new certificate, through a tunnel whose server has a new one.
                #expect(try await tenant.kubectl("exec", "deployment/hello", "--", "hostname").hasPrefix("hello-"))
                try await tenant.kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s")
                // The operator goes on with its own: what a pool needs of the tenant's API is done.
                try await lab.host.nestbox("scale", "nodepool", "workers", "--replicas", "0", "--wait", "--timeout", "300")
                try await lab.expectClean("worker-1")
            }
        }

        private func renewAll(_ lab: TestLab, _ log: LoadLog) async throws {
            let before = try await lab.certificates()
            await log.begins("renewal")
            try await lab.host.nestbox("certificates", "renew", "demo", "--wait", "--timeout", "300")
            // A Secret takes up to two minutes to come to a pod that is not rolled for it; here the pod is new.
            try await Task.sleep(for: .seconds(5))
            await log.begins(ServiceRecord.rest)
            let after = try await lab.certificates()
            for (name, start) in before where !name.hasSuffix("-ca") { #expect(after[name] != start, "\(name) is the one it was") }
            for (name, start) in before where name.hasSuffix("-ca") { #expect(after[name] == start, "\(name) is another") }
        }
    }
}

extension TestLab {
    /// When each certificate was made, by name.
    fileprivate func certificates() async throws -> [String: String] {
        let lines = try await host.kubectl(
            "get", "hostedcluster", "demo", "-o",
            "jsonpath={range .status.certificates.items[*]}{.name} {.notBefore}{\"\\n\"}{end}"
        ).split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        return Dictionary(lines.map { ($0[0], $0[1]) }, uniquingKeysWith: { $1 })
    }

    /// Since when the tenant is Available.
    fileprivate func available() async throws -> String {
        try await host.kubectl(
            "get", "hostedcluster", "demo", "-o",
            "jsonpath={.status.conditions[?(@.type=='Available')].status} {.status.conditions[?(@.type=='Available')].lastTransitionTime}")
    }
}
