import Foundation
import KubernetesVersions
import TestCommands
import Testing

/// A lab of a test's own with Nestbox installed, whose machines are registered; gone when the test is over, however it ends.
///
/// The host and the tenants run `NESTBOX_TEST_VERSION`, 1.20.2 unless it is set; where `NESTBOX_TEST_KUBERNETES` names a folder of
/// binaries, the tenants and their kubectl are those.
struct TestLab: Sendable {
    static let hostVersion = ProcessInfo.processInfo.environment["NESTBOX_TEST_VERSION"] ?? "v1.20.2"
    /// Whether the longer tests were asked for.
    static let runsLongTests = ProcessInfo.processInfo.environment["NESTBOX_TEST_LAB"] == "1"

    let lab: LabRun
    /// Of the tenants.
    let version: String
    /// One patch version newer and the same program, where it was asked for.
    let stamp: String
    /// Of this test's files.
    let folder: URL
    private let given: TestKubernetes?

    var name: String { lab.name }
    /// For the lab's host cluster, as its admin.
    var host: CommandRun { lab.host }

    /// - Parameters:
    ///   - hostNodes: how many nodes the host has.
    ///   - tenantVersions: which are run beside the usual one.
    ///   - stamp: whether there is to be a version to upgrade to.
    static func with(
        machines: Int, hostNodes: Int = 1, tenantVersions: [String] = [], stamp isStamped: Bool = false,
        _ body: (TestLab) async throws -> Void
    ) async throws {
        // Of the lab's host cluster, as soon as it is up.
        var host = CommandRun(environment: ["NESTBOX_BIN": CommandRun.products])
        let given = try await TestKubernetes.find(host)
        host.environment["NESTBOX_CACHE"] = given?.cache
        // Not the other's name: both may run on one computer, each with a cache that the other does not know.
        let name = ProcessInfo.processInfo.environment["NESTBOX_TEST_LAB_NAME"] ?? (given == nil ? "test" : "test-given")
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("nestbox-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await host.nestbox("lab", "down", "--name", name)
        do {
            try await given?.fill(host)
            let version = given?.version ?? hostVersion
            let stamp = try nextPatch(after: version)
            if isStamped, let given {
                try await given.addStamp(host, of: stamp)
            } else if isStamped {
                try await host.nestbox("artifacts", "get", stamp, "--stamp-of", version)
            }
            let lab = try await LabRun.up(
                name, machines: machines, hostNodes: hostNodes, version: hostVersion,
                tenantVersions: [version] + tenantVersions + (isStamped ? [stamp] : []),
                by: host)
            host = lab.host
            try await lab.install()
            try await body(TestLab(lab: lab, version: version, stamp: stamp, folder: folder, given: given))
        } catch {
            Issue.record("\(error)\n\(await state(of: host))\n\(await tenants(in: folder, host, given))")
        }
        try await host.nestbox("lab", "down", "--name", name)
        try given?.remove()
    }

    private static func nextPatch(after text: String) throws -> String {
        guard var version = KubernetesVersion(text) else { throw CommandRun.Failed(description: "\(text) is no version") }
        version.patch += 1
        return "\(version)"
    }

    /// What a person would look at first when something went wrong.
    private static func state(of host: CommandRun) async -> String {
        var told = ""
        for question in [
            ["get", "hostedclusters,nodepools,machines", "-A", "-o", "yaml"], ["get", "pods", "-A", "-o", "wide"],
            ["get", "events", "-A", "--sort-by=.lastTimestamp"],
            ["-n", "nestbox-system", "logs", "deployment/nestbox-control-planes", "--tail=60"],
            ["-n", "nestbox-system", "logs", "deployment/nestbox-machines", "--tail=60"],
        ] {
            told += "\n$ kubectl \(question.joined(separator: " "))\n"
            do { told += try await host.kubectl(question) } catch { told += "\(error)" }
        }
        return told
    }

    /// The same of the tenants whose kubeconfig the test has asked for.
    private static func tenants(in folder: URL, _ host: CommandRun, _ given: TestKubernetes?) async -> String {
        var told = ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names.sorted() where name.hasSuffix(".kubeconfig") {
            var tenant = host
            tenant.environment["KUBECONFIG"] = folder.appendingPathComponent(name).path
            if let given { tenant.kubectl = "\(given.folder)/kubectl" }
            for question in [
                ["get", "nodes,pods,poddisruptionbudgets", "-A", "-o", "wide"], ["get", "events", "-A", "--sort-by=.lastTimestamp"],
            ] {
                told += "\n\(name)$ kubectl \(question.joined(separator: " "))\n"
                do { told += try await tenant.kubectl(question) } catch { told += "\(error)" }
            }
        }
        return told
    }

    // MARK: A tenant

    /// Waits for what the HostedCluster says of its tunnel.
    func waitForTunnel(connected: Bool, of cluster: String = "demo") async throws {
        try await host.kubectl(
            "wait", "--for=condition=TunnelConnected=\(connected)", "hostedcluster", cluster, "--timeout=60s")
    }

    /// Creates a cluster and its pool, and waits for both.
    func createTenant(
        _ name: String, namespace: String = "default", version: String? = nil, controlPlaneReplicas: Int = 1, replicas: Int
    ) async throws -> CommandRun {
        let version = version ?? self.version
        try await host.nestbox(
            "create", "cluster", name, "-n", namespace, "--version", version, "--replicas", "\(controlPlaneReplicas)", "--wait",
            "--timeout", "600")
        try await host.nestbox(
            "create", "nodepool", "workers", "-n", namespace, "--cluster", name, "--replicas", isDiskFull ? "0" : "\(replicas)", "--wait",
            "--timeout", "900")
        if isDiskFull {
            try await host.kubectl(
                "patch", "nodepool", "workers", "-n", namespace, "--type=merge", "-p",
                #"{"spec": {"replicas": \#(replicas), "nodeConfiguration": {"kubelet": \#(Self.unconcerned)}}}"#)
            try await host.nestbox(
                "scale", "nodepool", "workers", "-n", namespace, "--replicas", "\(replicas)", "--wait", "--timeout", "900")
        }
        return try await tenant(name, namespace: namespace)
    }

    /// Whether kubelets would evict pods, as they do where less than 15 % of a disk is free: all machines lie on this computer's.
    private var isDiskFull: Bool {
        let disk = try? FileManager.default.attributesOfFileSystem(forPath: folder.path)
        guard let free = disk?[.systemFreeSize] as? Int64, let size = disk?[.systemSize] as? Int64 else { return false }
        return free < size / 4
    }

    /// A kubelet's settings that make it overlook that, as the lab's host does.
    private static let unconcerned =
        #"{"imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99, "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%"}}"#

    /// Of the tenants' PodDisruptionBudgets.
    var budgetAPIVersion: String {
        KubernetesVersion(version)?.servesPodDisruptionBudgetV1 == true ? "policy/v1" : "policy/v1beta1"
    }

    /// For a tenant's cluster, by the kubeconfig that a tenant downloads.
    func tenant(_ cluster: String, namespace: String = "default") async throws -> CommandRun {
        let kubeconfig = folder.appendingPathComponent("\(namespace)-\(cluster).kubeconfig").path
        try await host.nestbox("kubeconfig", cluster, "-n", namespace, "-o", kubeconfig)
        var tenant = host
        tenant.environment["KUBECONFIG"] = kubeconfig
        if let given { tenant.kubectl = "\(given.folder)/kubectl" }
        return tenant
    }

    // MARK: The machines

    /// Runs a shell's text in the host's namespaces, where pods have addresses.
    @discardableResult
    func onHost(_ script: String) async throws -> String { try await lab.onHost(script) }

    /// Runs a shell's text on a machine as its root, past everything that Nestbox does.
    @discardableResult
    func onMachine(_ machine: String, _ script: String) async throws -> String { try await lab.onMachine(machine, script) }

    func begin(_ fault: MachineFault, on machine: String) async throws { try await lab.begin(fault, on: machine) }
    func end(_ fault: MachineFault, on machine: String) async throws { try await lab.end(fault, on: machine) }

    func phase(of machine: String) async throws -> String {
        try await host.kubectl("get", "machine", machine, "-o", "jsonpath={.status.phase}")
    }

    /// Waits until the machine is back in the inventory, and looks for what a tenant's node leaves behind.
    func expectClean(_ machine: String) async throws {
        try await CommandRun.eventually("\(machine) to be Available") {
            guard try await phase(of: machine) == "Available" else {
                throw CommandRun.Failed(description: try await host.kubectl("get", "machine", machine, "-o", "yaml"))
            }
        }
        #expect(try await leftovers(on: machine) == "", "\(machine) after cleaning")
    }

    /// Of a node; two folders are mounts of the lab's machine itself, and have to be empty.
    func leftovers(on machine: String) async throws -> String {
        try await onMachine(
            machine,
            """
            ps -eo comm= | grep -E '^(kubelet|containerd|kube-proxy|nestbox|httpd|pause)'
            ls -d /etc/kubernetes /etc/nestbox /etc/cni /opt/cni /run/containerd 2>/dev/null
            find /var/lib/kubelet /var/lib/containerd -mindepth 1 2>/dev/null
            ip -o link | grep -E 'cni|veth|nestbox'
            ip route | grep -E '10\\.244|172\\.20'
            grep -E 'kubelet|containerd|/run/netns' /proc/mounts | grep -vE '^[^ ]+ /var/lib/(kubelet|containerd) '
            (iptables-save; nft list ruleset) 2>/dev/null | grep -iE 'kube|cni|nestbox'
            true
            """)
    }
}
