import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import PrometheusMetrics

/// Tenants, pools and machines as they are at one moment, to be told of as metrics. Pure.
struct FleetSight {
    var clusters: [HostedCluster] = []
    var pools: [NodePool] = []
    var machines: [Machine] = []
    /// Of control-plane namespaces.
    var deployments: [Deployment] = []
    var statefulSets: [StatefulSet] = []
    /// By a cluster's UID.
    var etcd: [String: [EtcdFigures.Member]] = [:]

    func metrics() -> CollectedMetrics {
        let deployments = byCluster(deployments, named: NestboxName.controlPlaneDeployment)
        let etcds = byCluster(statefulSets, named: NestboxName.etcdStatefulSet)
        var teller = FleetTeller()
        for cluster in clusters {
            let uid = cluster.metadata.uid ?? ""
            teller.labels = ["namespace": cluster.namespace ?? "", "cluster": cluster.name]
            teller.tell(cluster)
            teller.tell(cluster, controlPlane: deployments[uid], etcd: etcds[uid])
            for member in etcd[uid] ?? [] { teller.tell(member) }
        }
        for pool in pools {
            teller.labels = ["namespace": pool.namespace ?? "", "cluster": pool.spec?.clusterName ?? "", "nodepool": pool.name]
            teller.tell(pool)
        }
        teller.labels = [:]
        teller.tell(machines)
        return teller.metrics
    }

    private func byCluster<T: KubernetesObject>(_ objects: [T], named name: String) -> [String: T] {
        var found: [String: T] = [:]
        for object in objects where object.name == name {
            if let uid = object.metadata.labels?[NestboxLabel.clusterUID] { found[uid] = object }
        }
        return found
    }
}

private struct FleetTeller {
    var metrics = CollectedMetrics()
    /// Of the object that is told of.
    var labels: [String: String] = [:]

    private mutating func put(_ metric: FleetMetric, _ more: [String: String] = [:], _ value: Double) {
        metrics.gauge(name: metric.rawValue, help: metric.help, labels: labels.merging(more) { own, _ in own }, value)
    }

    private mutating func put(_ metric: FleetMetric, _ more: [String: String] = [:], at time: String?) {
        guard let date = time.flatMap(Timestamp.parse) else { return }
        put(metric, more, date.timeIntervalSince1970)
    }

    private mutating func put(_ metric: FleetMetric, by name: String, _ values: KeyValuePairs<String, Int?>) {
        for (key, value) in values { if let value { put(metric, [name: key], Double(value)) } }
    }

    private mutating func put(_ metric: FleetMetric, _ conditions: [Condition]?, of types: [ConditionType]) {
        for type in types {
            guard let condition = conditions?.named(type.name) else { continue }
            put(metric, ["type": type.name, "status": condition.status], 1)
        }
    }

    mutating func tell(_ cluster: HostedCluster) {
        let (spec, status) = (cluster.spec, cluster.status)
        put(
            .clusterInfo,
            [
                "version": status?.version?.description ?? "", "wanted": spec?.version?.description ?? "",
                "release": status?.release ?? spec?.release ?? "",
            ], 1)
        put(.clusterCreated, at: cluster.metadata.creationTimestamp)
        put(.clusterDeleted, at: cluster.metadata.deletionTimestamp)
        put(.clusterCondition, status?.conditions, of: HostedCluster.conditionTypes)
        if let nodes = status?.nodes {
            put(.clusterNodes, by: "state", ["ready": nodes.ready, "not_ready": max(0, nodes.total - nodes.ready)])
        }
        for certificate in status?.certificates?.items ?? [] {
            put(.certificateExpiry, ["certificate": certificate.name], at: certificate.notAfter)
            put(.certificateRenewal, ["certificate": certificate.name], at: certificate.renewal)
        }
        if let upgrade = status?.versionHistory?.last(where: { $0.completedAt == nil }), status?.version != nil {
            put(.upgradeStarted, ["to": upgrade.version.description], at: upgrade.startedAt)
        }
    }

    mutating func tell(_ cluster: HostedCluster, controlPlane: Deployment?, etcd: StatefulSet?) {
        let wanted = cluster.spec?.controlPlane?.replicas ?? 1
        if let controlPlane {
            // What is ready may be so with an old template still: a rollout is over when both are alike.
            let (ready, updated) = (controlPlane.status?.readyReplicas ?? 0, controlPlane.status?.updatedReplicas ?? 0)
            put(.controlPlaneReplicas, by: "state", ["wanted": wanted, "ready": ready, "updated": updated])
        }
        if let etcd {
            put(.etcdMembers, by: "state", ["wanted": etcd.spec?.replicas ?? wanted, "ready": etcd.status?.readyReplicas ?? 0])
        }
    }

    mutating func tell(_ member: EtcdFigures.Member) {
        let labels = ["member": member.name]
        put(.etcdSize, labels, Double(member.size))
        put(.etcdInUse, labels, Double(member.inUse))
        put(.etcdQuota, labels, Double(member.quota))
    }

    mutating func tell(_ pool: NodePool) {
        let status = pool.status
        put(
            .poolReplicas, by: "state",
            [
                "wanted": pool.spec?.replicas ?? 0, "current": status?.replicas, "ready": status?.readyReplicas,
                "updated": status?.updatedReplicas, "terminating": status?.terminatingReplicas,
            ])
        put(.poolCondition, status?.conditions, of: NodePool.conditionTypes)
        put(.poolDeleted, at: pool.metadata.deletionTimestamp)
    }

    mutating func tell(_ machines: [Machine]) {
        let phases = Dictionary(grouping: machines) { $0.status?.phase?.rawValue ?? "Unregistered" }.mapValues(\.count)
        // Also those that none is in: what is 0 can be told from what is not known.
        for phase in MachinePhase.allCases.map(\.rawValue) + ["Unregistered"] {
            put(.machines, ["phase": phase], Double(phases[phase] ?? 0))
        }
        for type in Machine.conditionTypes {
            let statuses = Dictionary(grouping: machines.compactMap { $0.status?.conditions?.named(type.name)?.status }) { $0 }
            for (status, those) in statuses { put(.machineConditions, ["type": type.name, "status": status], Double(those.count)) }
        }
    }
}
