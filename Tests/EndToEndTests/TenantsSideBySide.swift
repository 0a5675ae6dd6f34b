import Foundation
import TestCommands
import Testing

extension InTheLab {
    /// Machines go from one pool to another, and tenants who share them in turn, names and address ranges see nothing of each other.
    @Suite("Tenants side by side", .serialized, .enabled(if: TestLab.runsLongTests), .timeLimit(.minutes(40)))
    struct TenantsSideBySide {
        /// Of the second tenant: a version stamp of the first's source, unless another one is named.
        static let otherVersion = ProcessInfo.processInfo.environment["NESTBOX_TEST_OTHER_VERSION"] ?? "v1.20.3"

        @Test func aFreedMachineServesAnotherTenant() async throws {
            let builder = CommandRun(environment: [:])
            try await builder.nestbox("artifacts", "get", Self.otherVersion, "--stamp-of", TestLab.hostVersion)
            try await TestLab.with(machines: 2, tenantVersions: [Self.otherVersion]) { lab in
                let host = lab.host
                let first = try await lab.createTenant("demo", replicas: 2)

                try await host.kubectl("scale", "nodepool", "workers", "--replicas=1")
                try await CommandRun.eventually("the pool to have one node") {
                    let nodes = try await first.kubectl("get", "nodes", "-o", "name")
                    guard nodes.split(separator: "\n").count == 1 else { throw CommandRun.Failed(description: nodes) }
                }
                let freed = try await first.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n" ? "worker-2" : "worker-1"
                try await lab.expectClean(freed)

                async let stolen = aStolenTokenGetsNothing(lab, first)
                try await host.nestbox("scale", "nodepool", "workers", "--replicas", "2", "--wait", "--timeout", "600")
                try await stolen
                #expect(try await first.kubectl("get", "nodes", "-o", "name").split(separator: "\n").count == 2)

                try await host.nestbox("scale", "nodepool", "workers", "--replicas", "1", "--wait", "--timeout", "600")
                let free = try await first.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n" ? "worker-2" : "worker-1"
                try await lab.expectClean(free)
                try await host.kubectl("create", "namespace", "team-b")
                let second = try await lab.createTenant("demo", namespace: "team-b", version: Self.otherVersion, replicas: 1)
                try await seeNothingOfEachOther(lab, first, second)

                try await host.kubectl("delete", "namespace", "team-b", "--timeout=300s")
                try await lab.expectClean(free)
                try await host.nestbox("delete", "cluster", "demo", "--timeout", "300")
                try await lab.expectClean("worker-1")
                try await lab.expectClean("worker-2")
                #expect(try await !host.kubectl("get", "namespaces", "-o", "name").contains("hcp-"))
            }
        }

        private func seeNothingOfEachOther(_ lab: TestLab, _ first: CommandRun, _ second: CommandRun) async throws {
            for tenant in [first, second] {
                try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
                try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
                #expect(try await tenant.kubectl("get", "nodes", "-o", "name").split(separator: "\n").count == 1)
                #expect(try await tenant.shell("timeout 20 \(tenant.kubectl) exec deployment/hello -- hostname").hasPrefix("hello-"))
            }
            #expect(try await second.kubectl("get", "--raw", "/version").contains("\"\(Self.otherVersion)\""))
            let nodes = try await (first.kubectl("get", "nodes", "-o", "name"), second.kubectl("get", "nodes", "-o", "name"))
            #expect(nodes.0 != nodes.1)
            // The same address inside, and each gets its own: the page says which pod and node answered.
            for tenant in [first, second] {
                let node = try await tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
                let page = try await tenant.kubectl("get", "--raw", "/api/v1/namespaces/default/services/hello:80/proxy/")
                #expect(page.contains("on \(node)"))
            }
            // One's credentials are nothing to the other.
            let server = try await second.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
            await #expect(throws: CommandRun.Failed.self) {
                try await first.kubectl("--server", server, "--insecure-skip-tls-verify", "--certificate-authority=", "get", "nodes")
            }
            await #expect(throws: CommandRun.Failed.self) { try await first.kubectl("--server", server, "get", "nodes") }
        }

        /// Whoever reads a machine's bootstrap token, while it lives, gets no certificate of another machine's name for it.
        private func aStolenTokenGetsNothing(_ lab: TestLab, _ tenant: CommandRun) async throws {
            let token = try await CommandRun.eventually("a bootstrap token") {
                let found = try await tenant.kubectl(
                    "-n", "kube-system", "get", "secrets", "--field-selector", "type=bootstrap.kubernetes.io/token", "-o",
                    "jsonpath={range .items[0].data}{.token-id}{' '}{.token-secret}{end}")
                let parts = found.split(separator: " ").compactMap { Data(base64Encoded: String($0)) }.map {
                    String(decoding: $0, as: UTF8.self)
                }
                guard parts.count == 2 else { throw CommandRun.Failed(description: "there is none: \(found)") }
                return parts.joined(separator: ".")
            }
            let victim = try await tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
            let asked = try await tenant.shell(
                """
                cd "$(mktemp -d)" && trap 'rm -rf "$PWD"' EXIT
                openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/O=system:nodes/CN=system:node:\(victim)' \
                  -keyout key.pem -out request.pem 2>/dev/null
                server=$(\(tenant.kubectl) config view -o 'jsonpath={.clusters[0].cluster.server}')
                cat > request.json <<EOF
                {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "metadata": {"name": "stolen"},
                 "spec": {"signerName": "kubernetes.io/kube-apiserver-client-kubelet", "request": "$(base64 -w0 request.pem)",
                          "usages": ["digital signature", "key encipherment", "client auth"]}}
                EOF
                curl -sk --max-time 10 -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' --data @request.json \
                  "$server/apis/certificates.k8s.io/v1/certificatesigningrequests" -o answer.json -w '%{http_code}'
                """.replacingOccurrences(of: "$TOKEN", with: token))
            #expect(asked == "201", "the token lets ask, as any kubelet's does")
            try await CommandRun.eventually(within: .seconds(30), "the request to be answered") {
                let answer = try await tenant.kubectl(
                    "get", "csr", "stolen", "-o", "jsonpath={.status.conditions[*].type} {.status.certificate}")
                guard answer == "Denied " else { throw CommandRun.Failed(description: "it is \"\(answer)\"") }
            }
        }
    }
}
