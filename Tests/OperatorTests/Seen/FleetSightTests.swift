import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import PrometheusMetrics
import Synchronization
import Testing

@testable import Operator

@Suite struct FleetSightTests {
    private static func conditions(_ statuses: KeyValuePairs<String, Bool>) -> [Condition] {
        var conditions = ConditionSet(nil, generation: 1)
        for (type, isTrue) in statuses { conditions.set(type, isTrue, reason: "Because", message: "") }
        return conditions.list
    }

    static func cluster(_ name: String, upgrading: Bool = false) -> HostedCluster {
        let version = KubernetesVersion(1, 34, 2)
        var history = [VersionHistoryEntry(version: version, startedAt: "2026-01-01T00:00:00Z", completedAt: "2026-01-01T00:01:00Z")]
        if upgrading {
            history.append(VersionHistoryEntry(version: KubernetesVersion(1, 35, 0), startedAt: "2026-02-01T00:00:00Z"))
        }
        return HostedCluster(
            metadata: ObjectMeta(name: name, namespace: "tenants", uid: "uid-\(name)", creationTimestamp: "2026-01-01T00:00:00Z"),
            spec: HostedClusterSpec(
                version: KubernetesVersion(1, upgrading ? 35 : 34, upgrading ? 0 : 2), release: "v0.1.0",
                controlPlane: ControlPlaneSpec(replicas: 3)),
            status: HostedClusterStatus(
                conditions: conditions(["Available": true, "ControlPlaneLost": false, "SomethingNew": true]), version: version,
                versionHistory: history, nodes: NodeCounts(total: 5, ready: 3),
                certificates: CertificatesStatus(items: [
                    CertificateStatus(
                        name: "apiserver", kind: .leaf, notBefore: "2026-01-01T00:00:00Z", notAfter: "2027-01-01T00:00:00Z",
                        renewal: "2026-09-01T00:00:00Z")
                ])))
    }

    static func sight(_ names: [String] = ["shop"], upgrading: Bool = true) -> FleetSight {
        var sight = FleetSight(clusters: names.map { cluster($0, upgrading: upgrading) })
        for name in names {
            let labels = [NestboxLabel.clusterUID: "uid-\(name)"]
            sight.deployments.append(
                Deployment(
                    metadata: ObjectMeta(name: NestboxName.controlPlaneDeployment, namespace: "hcp-\(name)", labels: labels),
                    status: DeploymentStatus(replicas: 3, updatedReplicas: 1, readyReplicas: 2)))
            sight.statefulSets.append(
                StatefulSet(
                    metadata: ObjectMeta(name: NestboxName.etcdStatefulSet, namespace: "hcp-\(name)", labels: labels),
                    spec: StatefulSetSpec(replicas: 3), status: StatefulSetStatus(readyReplicas: 3)))
            sight.etcd["uid-\(name)"] = [EtcdFigures.Member(name: "etcd-0", size: 2048, inUse: 1024, quota: 8192)]
        }
        sight.pools = [
            NodePool(
                metadata: ObjectMeta(name: "workers", namespace: "tenants", deletionTimestamp: "2026-03-01T00:00:00Z"),
                spec: NodePoolSpec(clusterName: "shop", replicas: 3),
                status: NodePoolStatus(
                    conditions: conditions(["Ready": false]), replicas: 3, readyReplicas: 2, updatedReplicas: 1, terminatingReplicas: 1))
        ]
        sight.machines = [("m-1", MachinePhase.ready), ("m-2", .ready), ("m-3", .quarantined)].map { name, phase in
            Machine(
                metadata: ObjectMeta(name: name),
                status: MachineStatus(phase: phase, conditions: conditions(["Reachable": phase == .ready])))
        }
        sight.machines.append(Machine(metadata: ObjectMeta(name: "m-4")))
        return sight
    }

    static func text(of sight: FleetSight) async -> String {
        let registry = MetricsRegistry()
        return await registry.collecting({ sight.metrics() }) { registry.render() }
    }

    static func lines(of sight: FleetSight) async -> [String] {
        await text(of: sight).split(separator: "\n").map(String.init).filter { !$0.hasPrefix("#") }
    }

    @Test func aTenantAsItIsSeen() async {
        let lines = await Self.lines(of: Self.sight())
        let own = #"cluster="shop","#
        for line in [
            #"nestbox_hostedcluster_info{\#(own)namespace="tenants",release="v0.1.0",version="v1.34.2",wanted="v1.35.0"} 1"#,
            #"nestbox_hostedcluster_created_timestamp_seconds{\#(own)namespace="tenants"} 1767225600"#,
            #"nestbox_hostedcluster_condition{\#(own)namespace="tenants",status="True",type="Available"} 1"#,
            #"nestbox_hostedcluster_condition{\#(own)namespace="tenants",status="False",type="ControlPlaneLost"} 1"#,
            #"nestbox_hostedcluster_nodes{\#(own)namespace="tenants",state="not_ready"} 2"#,
            #"nestbox_hostedcluster_control_plane_replicas{\#(own)namespace="tenants",state="ready"} 2"#,
            #"nestbox_hostedcluster_control_plane_replicas{\#(own)namespace="tenants",state="updated"} 1"#,
            #"nestbox_hostedcluster_etcd_members{\#(own)namespace="tenants",state="wanted"} 3"#,
            #"nestbox_hostedcluster_etcd_db_in_use_bytes{\#(own)member="etcd-0",namespace="tenants"} 1024"#,
            #"nestbox_hostedcluster_certificate_expiration_timestamp_seconds{certificate="apiserver",\#(own)namespace="tenants"} 1798761600"#,
            #"nestbox_hostedcluster_upgrade_start_timestamp_seconds{\#(own)namespace="tenants",to="v1.35.0"} 1769904000"#,
            #"nestbox_nodepool_replicas{\#(own)namespace="tenants",nodepool="workers",state="ready"} 2"#,
            #"nestbox_machines{phase="Ready"} 2"#, #"nestbox_machines{phase="Draining"} 0"#, #"nestbox_machines{phase="Unregistered"} 1"#,
            #"nestbox_machine_conditions{status="False",type="Reachable"} 1"#,
        ] {
            #expect(lines.contains(line), "\(line)\nis none of\n\(lines.joined(separator: "\n"))")
        }
        // No list grows but those of tenants and pools: a condition that nobody listed is not told of, and no machine by its name.
        #expect(!lines.contains { $0.contains("SomethingNew") || $0.contains("m-1") })
    }

    @Test func onlyAnUpgradeUnderWayHasABeginning() async {
        #expect(await !Self.text(of: Self.sight(upgrading: false)).contains("upgrade_start"))
    }

    /// What a deleted tenant had is gone at the next scrape, and everything when this replica leads no more.
    @Test func whatIsGoneIsNotTold() async {
        let registry = MetricsRegistry()
        let figures = EtcdFigures()
        let status = EtcdStatus(
            clusterID: "1", memberID: "1", leaderID: "1", version: "3.5.0", revision: 1, size: 2, sizeInUse: 1, errors: [])
        figures.note([0: status], quota: 4, of: "uid-gone")
        let names = Names(["shop", "gone"])
        await registry.collecting({
            var sight = Self.sight(names.list)
            sight.etcd = figures.keep(Set(sight.clusters.compactMap(\.metadata.uid)))
            return sight.metrics()
        }) {
            #expect(registry.render().contains(#"cluster="gone""#))
            names.list = ["shop"]
            let after = registry.render()
            #expect(!after.contains("gone") && after.contains(#"cluster="shop""#))
            names.list = ["shop", "gone"]
            #expect(!registry.render().contains(#"etcd_db_size_bytes{cluster="gone""#), "figures of a deleted cluster are forgotten")
        }
        #expect(registry.render() == "")
    }

    @Test func labelsAreThoseOfTheList() async throws {
        var seen: Set<String> = []
        for series in try Series.read(await Self.text(of: Self.sight())) {
            let metric = try #require(FleetMetric(rawValue: series.name), "\(series.name)")
            #expect(metric.labels == Set(series.labels.keys), "\(series.name)")
            seen.insert(series.name)
        }
        // Told of once it is deleted.
        #expect(Set(FleetMetric.allCases.map(\.rawValue)).subtracting(seen) == [FleetMetric.clusterDeleted.rawValue])
    }

    /// Of a thousand tenants with three pools each: what a scrape costs.
    @Test func aThousandTenants() async {
        let names = (0..<1000).map { "tenant-\($0)" }
        var sight = Self.sight(names)
        let pool = sight.pools[0]
        sight.pools = names.flatMap { name in
            (0..<3).map { number in
                var pool = pool
                pool.metadata.name = "pool-\(number)"
                pool.spec?.clusterName = name
                return pool
            }
        }
        let start = ContinuousClock.now
        let text = await Self.text(of: sight)
        print("1000 tenants: \(text.utf8.count) bytes in \(ContinuousClock.now - start)")
        #expect(text.split(separator: "\n").count > 30_000)
    }
}

/// Clusters' names, that change between two scrapes.
private final class Names: Sendable {
    private let state: Mutex<[String]>

    init(_ list: [String]) { state = Mutex(list) }

    var list: [String] {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
