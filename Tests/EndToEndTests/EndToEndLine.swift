import TestCommands
import Testing

extension InTheLab {
    /// From nothing to a tenant's pods on the tenant's own machine, and away again.
    @Suite("The end-to-end line", .serialized, .timeLimit(.minutes(30)))
    struct EndToEndLine {
        @Test func aTenantRunsPodsOnItsOwnMachine() async throws {
            try await TestLab.with(machines: 1) { lab in
                let host = lab.host
                let tenant = try await lab.createTenant("demo", replicas: 1)
                #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n")
                #expect(
                    try await tenant.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.nodeInfo.kubeletVersion}") == lab.version)
                #expect(try await tenant.kubectl("get", "--raw", "/version").contains("\"\(lab.version)\""))
                try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
                try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
                #expect(try await tenant.kubectl("logs", "deployment/hello").contains("serving on port 8080"))
                #expect(try await tenant.kubectl("exec", "deployment/hello", "--", "hostname").hasPrefix("hello-"))
                let page = try await tenant.kubectl("get", "--raw", "/api/v1/namespaces/default/services/hello:80/proxy/")
                #expect(page.contains("on worker-1"))

                try await host.nestbox("scale", "nodepool", "workers", "--replicas", "0", "--wait", "--timeout", "600")
                try await lab.expectClean("worker-1")
                try await host.nestbox("delete", "nodepool", "workers")
                try await host.nestbox("delete", "cluster", "demo")
                #expect(try await !host.kubectl("get", "namespaces", "-o", "name").contains("hcp-"))
            }
        }
    }
}
