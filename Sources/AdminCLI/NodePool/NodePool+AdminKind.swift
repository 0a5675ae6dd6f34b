import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

extension NodePool: AdminKind {
    static let noun = Noun(
        singular: "nodepool", plural: "nodepools", title: "node pool", aliases: ["np"], example: "workers")

    static let columns: [Column<NodePool>] = [
        Column(heading: "NAME") { $0.name },
        Column(heading: "CLUSTER") { $0.spec?.clusterName ?? "" },
        Column(heading: "DESIRED") { String($0.spec?.replicas ?? 0) },
        Column(heading: "READY") { String($0.status?.readyReplicas ?? 0) },
        Column(heading: "UPDATED") { String($0.status?.updatedReplicas ?? 0) },
        Column(heading: "VERSION", wide: true) { $0.status?.versions?.keys.sorted().joined(separator: ",") ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
        Column(heading: "MESSAGE", wide: true) { $0.deletionProgress ?? $0.conditions?.missing("Ready") ?? "" },
    ]

    var conditions: [Condition]? { status?.conditions }

    var deletionProgress: String? { conditions?.named("Deleting")?.message }

    var details: [(heading: String, value: String?)] {
        let spec = withDefaults().spec
        let versions = status?.versions?.sorted { $0.key < $1.key }.map { "\($0.key) (\($0.value))" }.joined(separator: ", ")
        return [
            ("Cluster", spec?.clusterName),
            (
                "Nodes",
                "\(status?.readyReplicas ?? 0) ready, \(status?.replicas ?? 0) machines claimed, \(spec?.replicas ?? 0) desired"
                    + (status?.terminatingReplicas ?? 0 > 0 ? ", \(status?.terminatingReplicas ?? 0) on their way out" : "")
            ),
            ("Version", spec?.version?.description ?? "the cluster's"),
            ("Kubelets", versions),
            (
                "Upgrade",
                spec?.upgrade.map { "\($0.type ?? "Replace"), \($0.maxSurge ?? 0) more and \($0.maxUnavailable ?? 1) fewer at once" }
            ),
            ("Template", status?.revision.map { "\($0), \(status?.updatedReplicas ?? 0) nodes are of it" }),
            ("Rollout", conditions?.missing("Progressing") ?? conditions?.named("Progressing")?.message),
            ("Drain timeout", spec?.drainTimeout),
            ("Auto repair", spec?.autoRepair.flatMap { $0.enabled == true ? "after \($0.unhealthyTimeout ?? "")" : nil }),
            ("Node labels", Description.pairs(spec?.labels)),
            ("Taints", spec?.taints?.map { "\($0.key)=\($0.value ?? ""):\($0.effect)" }.joined(separator: ", ")),
            ("Machines with", Description.pairs(spec?.machineSelector?.matchLabels)),
        ]
    }

    func sections(with client: KubernetesClient) async throws -> [DescribedSection] {
        let machines: [Machine]
        do {
            machines = try await client.list(Machine.self).items.filter {
                $0.status?.claim?.namespace == namespace && $0.status?.claim?.nodePool == name
            }
        } catch let error as KubernetesError where error.isForbidden {
            // Machines are the provider's, and a pool may be described by whoever scales it.
            machines = []
        }
        let rows = machines.map {
            [$0.name, $0.status?.phase?.rawValue ?? "Unknown", $0.status?.plan?.current ?? $0.status?.message ?? ""]
        }
        return [DescribedSection(title: "Machines", rows: [["NAME", "PHASE", "STEP"]] + rows)]
    }
}

extension NodePool {
    /// What keeps it from having so many ready nodes, in words; nil when it has them.
    func waitsFor(replicas: Int) -> String? {
        let ready = status?.readyReplicas ?? 0
        let leaving = status?.terminatingReplicas ?? 0
        if ready == replicas, status?.replicas == replicas, leaving == 0, status?.observedGeneration == metadata.generation { return nil }
        if let lacking = conditions?.named("MachinesAvailable"), lacking.status == "False" { return lacking.message }
        if leaving > 0 { return leaving == 1 ? "one node is drained" : "\(leaving) nodes are drained" }
        return "\(ready) of \(replicas) nodes are ready"
    }
}
