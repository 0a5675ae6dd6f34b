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
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
        Column(heading: "MESSAGE", wide: true) { $0.status?.message ?? "" },
    ]

    var conditions: [Condition]? { status?.conditions }

    var deletionProgress: String? { status?.message ?? status?.plan?.current ?? status?.phase.map { "it is \($0.rawValue)" } }

    var details: [(heading: String, value: String?)] {
        let (spec, facts) = (withDefaults().spec, status?.facts)
        let claim = status?.claim
        return [
            ("Address", spec?.address.map { "\(spec?.user ?? "root")@\($0), port \(spec?.port ?? 22)" }),
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
            ("Kubelet", facts?.kubeletVersion),
        ]
    }

    func sections(with client: KubernetesClient) async throws -> [DescribedSection] {
        guard let plan = status?.plan else { return [] }
        let rows = plan.steps.map { step in
            [step.name, step.state.rawValue, step.startedAt.map { Rendering.age($0) } ?? "", step.message ?? ""]
        }
        return [DescribedSection(title: "Plan \(plan.name)", rows: [["STEP", "STATE", "SINCE", "MESSAGE"]] + rows)]
    }
}

extension PlanStatus {
    /// The step under way or the one that failed: `Join: push kubelet (Running)`.
    var current: String? {
        guard let step = steps.first(where: { $0.state != .succeeded }) else { return nil }
        return "\(name): \(step.name) (\(step.state.rawValue))"
    }
}
