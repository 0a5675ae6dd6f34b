import TestCampaign
import TestCommands

/// A provider in a lab with a tenant, whose pods must not be lost: what every round begins with.
struct PoolLab: Sendable {
    static let hostVersion = "v1.20.2"
    /// A stamp of the other's source, which is enough for all that an upgrade moves.
    static let otherVersion = "v1.20.3"

    let lab: LabRun
    let tenant: CommandRun
    let witness: Witness
    let machines: [String]

    /// What the body does in a lab of its own, which is gone afterwards unless it is to be held.
    static func with(
        _ name: String, machines: Int, disk: String?, products: String, directory: String, isHeld: Bool, pools: [String],
        _ body: @escaping @Sendable (PoolLab) async throws -> String
    ) async throws -> String {
        let builder = CommandRun(environment: ["NESTBOX_BIN": products])
        try await builder.nestbox("lab", "down", "--name", name)
        try await builder.nestbox("artifacts", "get", hostVersion)
        try await builder.nestbox("artifacts", "get", otherVersion, "--stamp-of", hostVersion)
        do {
            let lab = try await LabRun.up(
                name, machines: machines, version: hostVersion, tenantVersions: [otherVersion], by: builder)
            let names = (1...machines).map { "worker-\($0)" }
            if let disk {
                try await withThrowingTaskGroup { group in
                    for machine in names { group.addTask { try await lab.giveDisk(of: disk, to: machine) } }
                    try await group.waitForAll()
                }
            }
            try await lab.install()
            say("the lab \(name) is up, with \(machines) machines")
            let tenant = try await createTenant(lab, pools: pools, directory: directory)
            let pooled = PoolLab(lab: lab, tenant: tenant, witness: Witness(), machines: names)
            let result = try await pooled.watched { try await body(pooled) }
            if !isHeld { try await builder.nestbox("lab", "down", "--name", name) }
            return result
        } catch {
            if !isHeld { try await builder.nestbox("lab", "down", "--name", name) }
            throw error
        }
    }

    private static func createTenant(_ lab: LabRun, pools: [String], directory: String) async throws -> CommandRun {
        try await lab.host.nestbox("create", "cluster", "demo", "--version", otherVersion, "--wait", "--timeout", "600")
        for pool in pools { try await lab.host.apply(pool) }
        try await lab.host.kubectl("wait", "--for=condition=Ready", "nodepools", "--all", "--timeout=900s")
        let kubeconfig = "\(directory)/tenant.kubeconfig"
        try await lab.host.nestbox("kubeconfig", "demo", "-o", kubeconfig)
        var tenant = lab.host
        tenant.environment["KUBECONFIG"] = kubeconfig
        try await tenant.apply(workload)
        return tenant
    }

    /// A set that must never have two of one name, whose pods only we may move; and pods behind a budget, with emptyDir. Their image is the
    /// one that a kubelet whose disk is full does not remove: these machines could pull it from nowhere.
    private static let workload = """
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: counted}
        spec:
          replicas: 4
          serviceName: counted
          podManagementPolicy: Parallel
          selector: {matchLabels: {app: counted}}
          template:
            metadata: {labels: {app: counted}}
            spec:
              terminationGracePeriodSeconds: 1
              tolerations:
                - {key: node.kubernetes.io/not-ready, operator: Exists, effect: NoExecute}
                - {key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute}
              affinity:
                podAntiAffinity:
                  preferredDuringSchedulingIgnoredDuringExecution:
                    - weight: 100
                      podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: counted}}}
              containers:
                - name: main
                  image: registry.k8s.io/pause:3.9
                  imagePullPolicy: IfNotPresent
                  env: [{name: COUNTED_POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: served}
        spec:
          replicas: 3
          selector: {matchLabels: {app: served}}
          template:
            metadata: {labels: {app: served}}
            spec:
              terminationGracePeriodSeconds: 2
              affinity:
                podAntiAffinity:
                  preferredDuringSchedulingIgnoredDuringExecution:
                    - weight: 100
                      podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: served}}}
              containers:
                - name: main
                  image: registry.k8s.io/pause:3.9
                  imagePullPolicy: IfNotPresent
                  volumeMounts: [{name: scratch, mountPath: /scratch}]
              volumes: [{name: scratch, emptyDir: {}}]
        ---
        apiVersion: policy/v1beta1
        kind: PodDisruptionBudget
        metadata: {name: served}
        spec:
          minAvailable: 1
          selector: {matchLabels: {app: served}}
        """

    // MARK: Watching

    /// Runs the body while everything is watched.
    private func watched(_ body: @escaping @Sendable () async throws -> String) async throws -> String {
        let (witness, host, tenant) = (witness, lab.host, tenant)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            group.addTask {
                try await ObjectWatch<RawMachine>(commands: host, path: "/apis/nestbox.dev/v1alpha1/machines").run(
                    seen: { await witness.see(.machine($0)) }, gone: { await witness.see(.machineGone($0)) })
                return nil
            }
            group.addTask {
                try await ObjectWatch<RawPool>(commands: host, path: "/apis/nestbox.dev/v1alpha1/namespaces/default/nodepools").run(
                    seen: { await witness.see(.pool($0)) }, gone: { await witness.problem("pool \($0) vanished") })
                return nil
            }
            group.addTask {
                try await ObjectWatch<RawNode>(commands: tenant, path: "/api/v1/nodes").run(
                    seen: { await witness.see(.node($0)) }, gone: { await witness.see(.nodeGone($0)) })
                return nil
            }
            group.addTask {
                try await ObjectWatch<RawPod>(commands: tenant, path: "/api/v1/namespaces/default/pods").run(
                    seen: { await witness.see(.pod($0)) }, gone: { await witness.see(.podGone(uid: $0)) })
                return nil
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(4))
                    await witness.see(processes: try await processes())
                }
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    /// On which machines each pod of the StatefulSet runs, by the processes that there are.
    private func processes() async throws -> [String: Set<String>] {
        let text = try await lab.onHost(
            """
            for file in $(grep -slz '^COUNTED_POD=' /proc/[0-9]*/environ); do
                machine=$(sed -n 's/.*machine-\\(worker-[0-9]*\\).*/\\1/p' ${file%environ}cgroup 2>/dev/null | head -1)
                pod=$(tr '\\0' '\\n' < $file 2>/dev/null | sed -n 's/^COUNTED_POD=//p')
                [ -z "$pod" ] || echo "$pod $machine"
            done; true
            """)
        return Dictionary(
            text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ").map(String.init)
                return words.count == 2 ? (words[0], [words[1]]) : nil
            }, uniquingKeysWith: { $0.union($1) })
    }

    // MARK: Rest

    struct Restless: Error, CustomStringConvertible {
        var description: String
    }

    /// Waits until the pools are what they were asked to be, and does meanwhile what a Machine or a pool asks a person for. Returns how
    /// often that was; then looks into every machine.
    func rest(_ sizes: [String: Int], within limit: Duration) async throws -> Int {
        let deadline = ContinuousClock.now + limit
        var acts: Set<String> = []
        var quiet = 0
        while quiet < 3 {
            let judge = await witness.judge
            let lacking = judge.lacking(sizes: sizes)
            quiet = lacking.isEmpty ? quiet + 1 : 0
            guard .now < deadline else {
                throw Restless(description: "not at rest after \(limit.seconds) s: \(lacking.joined(separator: "; "))")
            }
            for machine in judge.machines.values
            where machine.phase == "Quarantined" && !judge.isFaulty(machine.name)
                && acts.insert("\(machine.name) \(machine.message)").inserted
            {
                say("  a person: nestbox machine clean \(machine.name)")
                _ = try await lab.host.outcome("\(CommandRun.products)/nestbox", ["machine", "clean", machine.name])
            }
            for pool in judge.pools.values {
                guard let words = pool.conditions["RolloutPaused"], words.hasPrefix("True MachineFailed"),
                    !judge.machines.keys.contains(where: { words.contains("\($0):") && judge.isFaulty($0) }),
                    acts.insert("\(pool.name) \(words)").inserted
                else { continue }
                say("  a person: nestbox rollout resume nodepool \(pool.name), for \(words)")
                let failed = judge.machines.keys.filter { words.contains("\($0):") }
                let now = sinceBeginning().seconds
                if !judge.faults.contains(where: { fault in failed.contains { fault.wasOn($0, now - 600, now) } }) {
                    await witness.problem("pool \(pool.name) stopped its rollout, and nothing was done to \(failed): \(words)")
                }
                await witness.askedToRoll(pool.name)
                _ = try await lab.host.outcome("\(CommandRun.products)/nestbox", ["rollout", "resume", "nodepool", pool.name])
            }
            try await Task.sleep(for: .seconds(1))
        }
        await witness.rested()
        for machine in machines {
            await witness.see(MachineLook(try await lab.onMachine(machine, MachineLook.script)), of: machine)
        }
        return acts.count
    }

    /// What a person would look at first when something went wrong, into the log.
    func tellState() async {
        for question in [
            ["get", "nodepools,machines", "-A", "-o", "yaml"], ["get", "pods", "-A", "-o", "wide"],
            ["get", "events", "-A", "--sort-by=.lastTimestamp"],
            ["-n", "nestbox-system", "logs", "deployment/nestbox-control-planes", "--tail=80"],
            ["-n", "nestbox-system", "logs", "deployment/nestbox-machines", "--tail=80"],
        ] {
            say("$ kubectl \(question.joined(separator: " "))\n\((try? await lab.host.kubectl(question)) ?? "")")
        }
        say("tenant\n\((try? await tenant.kubectl("get", "nodes,pods", "-A", "-o", "wide")) ?? "")")
    }
}
