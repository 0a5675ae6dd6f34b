import Foundation
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
        Column(heading: "PAUSED-UNTIL", wide: true) { $0.pause ?? "" },
        Column(heading: "AGE") { Rendering.age($0.metadata.creationTimestamp) },
        Column(heading: "MESSAGE", wide: true) { $0.deletionProgress ?? ($0.conditions ?? []).missing("Available") ?? "" },
    ]

    var conditions: [Condition]? { status?.conditions }

    var deletionProgress: String? { status?.deletion }

    var deletionRefusal: String? {
        guard isProtected else { return nil }
        return
            "cluster \(name) is protected against deletion (spec.deletionProtection): if it is really to go, first nestbox unprotect cluster "
            + "\(name) -n \(namespace ?? "default")"
    }

    /// Until when it is paused; nil when it is not, or not any more.
    private var pause: String? {
        guard let until = spec?.pausedUntil, let end = Timestamp.parse(until), end > Date() else { return nil }
        return metadata.annotations?[HostedClusterAnnotation.pauseReason].map { "\(until) (\($0))" } ?? until
    }

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
            ("External etcd", status?.etcdPrefix.map { "keys below \($0)" }),
            ("CA fingerprint", status?.caFingerprint),
            ("Kubeconfig", status?.kubeconfigSecret.map { "Secret \($0) (nestbox kubeconfig \(name))" }),
            ("Certificates", certificateSummary),
            ("Paused until", pause),
            ("Protected", isProtected ? "against deletion (nestbox unprotect cluster \(name) -n \(namespace ?? "default"))" : nil),
        ]
    }

    private var certificateSummary: String? {
        guard let certificates = status?.certificates, let expiry = certificates.nextExpiry else { return nil }
        let renewal = certificates.nextRenewal.map { ", renewed from \($0) on" } ?? ""
        return "the first ends at \(expiry)\(renewal) (nestbox certificates list \(name))"
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
