import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

extension HostedCluster: AdminKind {
    static let noun = Noun(
        singular: "cluster", plural: "clusters", title: "cluster", aliases: ["hc", "hostedcluster", "hostedclusters"], example: "demo")

    static let columns: [Column<HostedCluster>] = [
        Column(heading: "NAME") { $0.name },
        Column(heading: "VERSION") { ($0.status?.version ?? $0.spec?.version)?.description ?? "" },
        Column(heading: "AVAILABLE") { $0.conditions?.named("Available")?.status ?? "Unknown" },
        Column(heading: "NODES") { cluster in cluster.status?.nodes.map { "\($0.ready)/\($0.total)" } ?? "0/0" },
        Column(heading: "ENDPOINT", wide: true) { $0.status?.apiEndpoints?.first ?? "" },
        Column(heading: "NAMESPACE-OF-CONTROL-PLANE", wide: true) { $0.status?.controlPlaneNamespace ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
        Column(heading: "MESSAGE", wide: true) { $0.deletionProgress ?? ($0.conditions ?? []).missing("Available") ?? "" },
    ]

    var conditions: [Condition]? { status?.conditions }

    var deletionProgress: String? { status?.deletion }

    var details: [(heading: String, value: String?)] {
        let spec = withDefaults().spec
        let network = spec?.network
        return [
            ("Version", Self.versions(wanted: spec?.version, serving: status?.version)),
            ("Release", status?.release ?? spec?.release),
            ("Replicas", spec?.controlPlane?.replicas.map { "\($0)" }),
            ("Nodes", status?.nodes.map { "\($0.ready) of \($0.total) ready" }),
            ("Pods", network?.pods),
            ("Services", network?.services),
            ("API on nodes", network?.nodeLocalAPIAddress.map { "\($0):6443" }),
            ("Published", spec?.publish?.type),
            ("Endpoints", status?.apiEndpoints?.joined(separator: ", ")),
            ("Control plane in", status?.controlPlaneNamespace),
            ("CA fingerprint", status?.caFingerprint),
            ("Kubeconfig", status?.kubeconfigSecret.map { "Secret \($0) (nestbox kubeconfig \(name))" }),
            ("Paused until", spec?.pausedUntil),
        ]
    }

    private static func versions(wanted: KubernetesVersion?, serving: KubernetesVersion?) -> String? {
        guard let wanted, let serving, wanted != serving else { return (serving ?? wanted)?.description }
        return "\(serving), to become \(wanted)"
    }

    func sections(with client: KubernetesClient) async throws -> [DescribedSection] {
        let pools = try await client.list(NodePool.self, namespace: namespace).items.filter { $0.spec?.clusterName == name }
        let rows = pools.map { pool in NodePool.columns.filter { !$0.wide }.map { $0.value(pool) } }
        return [DescribedSection(title: "Node pools", rows: [NodePool.columns.filter { !$0.wide }.map(\.heading)] + rows)]
    }
}
