import ControllerRuntime
import KubernetesAPI
import NestboxAPI
import PrometheusMetrics

/// Tells of the fleet at each scrape, out of the informers' caches: an idle fleet costs nothing between two scrapes, what was deleted is
/// gone at the next one, and a replica that does not lead, which has no such caches, tells of no tenant.
struct FleetMetrics: Sendable {
    let clusters: Informer<HostedCluster>
    let pools: Informer<NodePool>
    let machines: Informer<Machine>
    let deployments: Informer<Deployment>
    let statefulSets: Informer<StatefulSet>
    let etcd: EtcdFigures

    func collect() -> CollectedMetrics {
        // Half a fleet would look like tenants that went away.
        guard clusters.isSynced, pools.isSynced, machines.isSynced, deployments.isSynced, statefulSets.isSynced else {
            return CollectedMetrics()
        }
        let hosted = clusters.list()
        return FleetSight(
            clusters: hosted, pools: pools.list(), machines: machines.list(), deployments: deployments.list(),
            statefulSets: statefulSets.list(), etcd: etcd.keep(Set(hosted.compactMap(\.metadata.uid)))
        ).metrics()
    }
}
