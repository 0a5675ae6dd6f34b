import KubernetesClient
import Logging
import TestCampaign
import TestCommands
import TestLoad

/// A provider in a lab with one tenant under constant load: what every round begins with.
struct CampaignTenant: Sendable {
    let lab: LabRun
    let tenant: CommandRun
    /// Of its control plane, on the host.
    let namespace: String
    let log: LoadLog
    let load: Load

    /// What the body does in a lab of its own, under load, which is gone afterwards unless it is to be held.
    static func with(
        _ name: String, replicas: Int, hostNodes: Int, machines: Int, stamps: [String], products: String, directory: String, isHeld: Bool,
        _ body: @escaping @Sendable (CampaignTenant) async throws -> String
    ) async throws -> String {
        let builder = CommandRun(environment: ["NESTBOX_BIN": products])
        let version = OperationSchedule.version
        try await builder.nestbox("lab", "down", "--name", name)
        try await builder.nestbox("artifacts", "get", version)
        for stamp in stamps { try await builder.nestbox("artifacts", "get", stamp, "--stamp-of", version) }
        do {
            let lab = try await LabRun.up(
                name, machines: machines, hostNodes: hostNodes, version: version, tenantVersions: stamps, by: builder)
            try await lab.install()
            say("the lab \(name) is up, its host has \(hostNodes) nodes")
            let result = try await underLoad(lab, replicas: replicas, machines: machines, directory: directory, body)
            if !isHeld { try await builder.nestbox("lab", "down", "--name", name) }
            return result
        } catch {
            if !isHeld { try await builder.nestbox("lab", "down", "--name", name) }
            throw error
        }
    }

    private static func underLoad(
        _ lab: LabRun, replicas: Int, machines: Int, directory: String, _ body: @escaping @Sendable (CampaignTenant) async throws -> String
    ) async throws -> String {
        try await lab.host.nestbox(
            "create", "cluster", "demo", "--version", OperationSchedule.version, "--replicas", "\(replicas)", "--wait", "--timeout", "900")
        let kubeconfig = "\(directory)/tenant.kubeconfig"
        try await lab.host.nestbox("kubeconfig", "demo", "-o", kubeconfig)
        var tenant = lab.host
        tenant.environment["KUBECONFIG"] = kubeconfig
        if machines > 0 {
            // Of a version of its own, or it would follow its cluster's, and take the pod with its node.
            try await lab.host.nestbox(
                "create", "nodepool", "workers", "--cluster", "demo", "--replicas", "\(machines)", "--version", OperationSchedule.version,
                "--wait", "--timeout", "900")
            try await tenant.apply(target)
            try await tenant.kubectl("wait", "--for=condition=Ready", "pod/target", "--timeout=300s")
        }
        let namespace = try await lab.host.kubectl(
            "get", "hostedcluster", "demo", "-o", "jsonpath={.status.controlPlaneNamespace}")
        say("the tenant is up with \(replicas) replicas and \(machines) nodes; the load begins")
        let log = LoadLog()
        let quiet = Logger(label: "load") { _ in SwiftLogNoOpLogHandler() }
        return try await KubernetesClient.with(try Load.configuration(kubeconfig: kubeconfig), logger: quiet) { client in
            let load = Load(client: client, log: log)
            let campaign = CampaignTenant(lab: lab, tenant: tenant, namespace: namespace, log: log, load: load)
            return try await withThrowingTaskGroup(of: String?.self) { group in
                group.addTask {
                    try await load.run()
                    return nil
                }
                if machines > 0 {
                    group.addTask {
                        try await campaign.execute()
                        return nil
                    }
                }
                group.addTask { try await body(campaign) }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                throw CancellationError()
            }
        }
    }

    /// A pod in which something is run all the time. Its image is on every node.
    private static let target = """
        apiVersion: v1
        kind: Pod
        metadata: {name: target}
        spec:
          containers:
            - name: main
              image: nestbox.dev/busybox:1
              imagePullPolicy: IfNotPresent
              command: [sleep, "1000000"]
        """

    private func execute() async throws {
        while true {
            let outcome = try await tenant.outcome("timeout", ["20", tenant.kubectl, "exec", "target", "--", "true"])
            if outcome.code == 0 {
                await log.succeeded(.exec)
            } else {
                await log.failed(.exec, CommandRun.Failed(description: "\(outcome.code) \(outcome.error.prefix(200))"))
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    // MARK: Rest

    struct Restless: Error, CustomStringConvertible {
        var description: String
    }

    /// Waits until the control plane is as it was asked for, three looks in a row; how long that took.
    @discardableResult
    func rest(version: String, replicas: Int, within limit: Duration) async throws -> Double {
        let start = ContinuousClock.now
        var quiet = 0
        while quiet < 3 {
            let lacking = try await sight().lacking(version: version, replicas: replicas)
            quiet = lacking.isEmpty ? quiet + 1 : 0
            guard ContinuousClock.now - start < limit else {
                throw Restless(description: "not at rest after \(limit.seconds) s: \(lacking.joined(separator: "; "))")
            }
            try await Task.sleep(for: .seconds(1))
        }
        return (ContinuousClock.now - start).seconds
    }

    private func sight() async throws -> ControlPlaneSight {
        var sight = ControlPlaneSight()
        let cluster = try await lab.host.kubectl(
            "get", "hostedcluster", "demo", "-o",
            #"jsonpath={.status.version} {.status.conditions[?(@.type=="Available")].status}"#)
        let words = cluster.split(separator: " ").map(String.init)
        sight.version = words.first ?? ""
        sight.available = words.last ?? ""
        sight.controlPlane = try await workload("deployment/control-plane")
        sight.etcd = try await workload("statefulset/etcd")
        return sight
    }

    private func workload(_ name: String) async throws -> ControlPlaneSight.Workload {
        let fields = [
            ".spec.replicas", ".metadata.generation", ".status.observedGeneration", ".status.replicas", ".status.updatedReplicas",
            ".status.readyReplicas", ".spec.template.spec.containers[0].image",
        ]
        let text = try await lab.host.kubectl(
            "-n", namespace, "get", name, "-o", "go-template=" + fields.map { Self.field($0) }.joined(separator: " "))
        return ControlPlaneSight.Workload(text)
    }

    /// A dash where there is no such field.
    private static func field(_ path: String) -> String {
        path.contains("[0]")
            ? "{{(index .spec.template.spec.containers 0).image}}" : "{{if \(path)}}{{\(path)}}{{else}}-{{end}}"
    }

    /// What a person would look at first when something went wrong, into the log.
    func tellState() async {
        for question in [
            ["get", "hostedclusters", "-A", "-o", "yaml"], ["get", "pods", "-A", "-o", "wide"],
            ["get", "events", "-A", "--sort-by=.lastTimestamp"],
            ["-n", "nestbox-system", "logs", "deployment/nestbox-control-planes", "--tail=80"],
        ] {
            say("$ kubectl \(question.joined(separator: " "))\n\((try? await lab.host.kubectl(question)) ?? "")")
        }
    }
}
