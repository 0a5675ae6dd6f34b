import KubernetesAPI
import KubernetesClient
import NestboxAPI

extension Machine: AdminKind {
    static let noun = Noun(
        singular: "machine", plural: "machines", title: "machine", aliases: ["mach"], example: "worker-1")

    static let columns: [Column<Machine>] = [
        Column(heading: "NAME") { $0.name },
        Column(heading: "ADDRESS") { $0.spec?.address ?? "" },
        Column(heading: "PHASE") { $0.status?.phase?.rawValue ?? "Unknown" },
        Column(heading: "CLAIMED-BY") { machine in machine.status?.claim.map { "\($0.namespace)/\($0.nodePool)" } ?? "" },
        Column(heading: "STEP", wide: true) { $0.status?.plan?.current ?? "" },
        Column(heading: "OS", wide: true) { $0.status?.facts?.operatingSystem ?? "" },
        Column(heading: "ARCH", wide: true) { $0.status?.facts?.architecture ?? "" },
        Column(heading: "CPUS", wide: true) { $0.status?.facts?.cpus.map(String.init) ?? "" },
        Column(heading: "MEMORY", wide: true) { $0.status?.facts?.labels[FactLabel.memory.rawValue].map { "\($0)Gi" } ?? "" },
        Column(heading: "GPUS", wide: true) { $0.status?.facts?.gpus?.map(\.inWords).joined(separator: ", ") ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
        Column(heading: "MESSAGE", wide: true) { $0.status?.message ?? "" },
    ]

    var conditions: [Condition]? { status?.conditions }

    var deletionProgress: String? { status?.message ?? status?.plan?.current ?? status?.phase.map { "it is \($0.rawValue)" } }

    var details: [(heading: String, value: String?)] {
        let (spec, facts) = (withDefaults().spec, status?.facts)
        let claim = status?.claim
        return [
            (
                "Address",
                spec?.address.map { joinsByCommand ? "\($0), not reached" : "\(spec?.user ?? "root")@\($0), port \(spec?.port ?? 22)" }
            ),
            ("Joins", joinsByCommand ? "by a command that its owner runs (nestbox token command \(name))" : nil),
            ("For pool", spec?.nodePool),
            (
                "Jump host",
                spec?.jumpHost.map {
                    "\($0.user ?? "root")@\($0.address ?? ""), port \($0.port ?? 22), key Secret \($0.sshKeySecret ?? "")"
                }
            ),
            ("SSH key", spec?.sshKeySecret.map { "Secret \($0)" }),
            ("Host key", spec?.hostKey ?? status?.hostKey),
            ("Reuse", spec?.reuse?.rawValue),
            ("For namespaces", spec?.allowedNamespaces?.joined(separator: ", ")),
            ("Phase", status?.phase?.rawValue ?? "Unknown"),
            ("Message", status?.message),
            ("Repair", status?.repair.map { "\($0.state.rawValue)\($0.message.map { ": \($0)" } ?? "")" }),
            ("Claimed by", claim.map { "node pool \($0.namespace)/\($0.nodePool) of cluster \($0.hostedCluster)" }),
            ("Pod network", claim?.podCIDR),
            ("Last tenant", status?.lastTenant),
            ("System", facts?.operatingSystem),
            ("Kernel", facts?.kernel),
            ("Size", facts.flatMap { facts in facts.cpus.map { "\($0) CPUs, \(facts.memoryMiB ?? 0) MiB" } }),
            ("Architecture", facts?.architecture),
            ("Disks", facts?.disks?.map(\.inWords).joined(separator: ", ")),
            ("GPUs", facts?.gpus?.map(\.inWords).joined(separator: ", ")),
            ("Kubelet", facts?.kubeletVersion),
            ("To be quarantined", status?.phase == .quarantined ? nil : status?.quarantineReason),
        ]
    }

    func sections(with client: KubernetesClient) async throws -> [DescribedSection] {
        var sections: [DescribedSection] = []
        if let answer = status?.answer, let findings = answer.findings, !findings.isEmpty {
            let rows = findings.map { [$0.name, $0.passed ? "ok" : "WRONG", $0.message] }
            let age = answer.answeredAt.map { ", \(Rendering.age($0)) ago" } ?? ""
            sections.append(DescribedSection(title: "Last check\(age)", rows: [["CHECK", "RESULT", "MESSAGE"]] + rows))
        }
        guard let plan = status?.plan else { return sections }
        let rows = plan.steps.map { step in
            [step.name, step.state.rawValue, step.startedAt.map { Rendering.age($0) } ?? "", step.message ?? ""]
        }
        return sections + [DescribedSection(title: "Plan \(plan.name)", rows: [["STEP", "STATE", "SINCE", "MESSAGE"]] + rows)]
    }
}

extension PlanStatus {
    /// The step under way or the one that failed: `Join: push kubelet (Running)`.
    var current: String? {
        guard let step = steps.first(where: { $0.state != .succeeded }) else { return nil }
        return "\(name): \(step.name) (\(step.state.rawValue))"
    }
}
