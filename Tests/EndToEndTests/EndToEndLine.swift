import Foundation
import TestCommands
import Testing

/// From nothing to a tenant's pods on the tenant's own machine, and away again, in a lab of the test's own.
@Suite("The end-to-end line", .serialized, .timeLimit(.minutes(30)))
struct EndToEndLine {
    static let lab = "test"
    static let version = ProcessInfo.processInfo.environment["NESTBOX_TEST_VERSION"] ?? "v1.20.2"

    @Test func aTenantRunsPodsOnItsOwnMachine() async throws {
        var host = CommandRun(environment: ["NESTBOX_BIN": CommandRun.products])
        try await host.nestbox("lab", "down", "--name", Self.lab)
        do {
            try await line(&host)
            try await host.nestbox("lab", "down", "--name", Self.lab)
        } catch {
            let told = try? await host.kubectl("get", "hostedclusters,nodepools,machines", "-A", "-o", "yaml")
            Issue.record("\(error)\n\(told ?? "")")
            try await host.nestbox("lab", "down", "--name", Self.lab)
        }
    }

    private func line(_ host: inout CommandRun) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nestbox-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        try await host.nestbox("lab", "up", "--name", Self.lab, "--machines", "1", "--version", Self.version)
        for line in try await host.nestbox("lab", "env", "--name", Self.lab).split(separator: "\n") {
            let pair = line.replacingOccurrences(of: "export ", with: "").split(separator: "=", maxSplits: 1)
            host.environment[String(pair[0])] = pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
        }
        try await host.run("scripts/install-in-lab.sh", [])
        try await host.run("scripts/register-lab-machines.sh", [Self.lab])
        try await host.nestbox("create", "cluster", "demo", "--version", Self.version, "--wait", "--timeout", "600")
        try await host.nestbox("create", "nodepool", "workers", "--cluster", "demo", "--replicas", "1", "--wait", "--timeout", "900")

        let kubeconfig = folder.appendingPathComponent("kubeconfig").path
        try await host.nestbox("kubeconfig", "demo", "-o", kubeconfig)
        var tenant = host
        tenant.environment["KUBECONFIG"] = kubeconfig
        #expect(try await tenant.kubectl("get", "nodes", "-o", "name") == "node/worker-1\n")
        try await tenant.kubectl("apply", "-f", "manifests/samples/hello.yaml")
        try await tenant.kubectl("rollout", "status", "deployment/hello", "--timeout=300s")
        #expect(try await tenant.kubectl("logs", "deployment/hello").contains("serving on port 8080"))
        #expect(try await tenant.kubectl("exec", "deployment/hello", "--", "hostname").hasPrefix("hello-"))
        let page = try await tenant.kubectl("get", "--raw", "/api/v1/namespaces/default/services/hello:80/proxy/")
        #expect(page.contains("on worker-1"))

        try await host.nestbox("scale", "nodepool", "workers", "--replicas", "0", "--wait", "--timeout", "600")
        try await CommandRun.eventually("the machine to be Available") {
            guard try await host.kubectl("get", "machine", "worker-1", "-o", "jsonpath={.status.phase}") == "Available" else {
                throw CommandRun.Failed(description: try await host.kubectl("get", "machine", "worker-1", "-o", "yaml"))
            }
        }
        try await host.nestbox("delete", "nodepool", "workers")
        try await host.nestbox("delete", "cluster", "demo")
        #expect(try await !host.kubectl("get", "namespaces", "-o", "name").contains("hcp-"))
    }
}
