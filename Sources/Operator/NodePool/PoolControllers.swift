import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI

/// The controllers of pools and of their nodes, and what wakes each.
struct PoolControllers {
    let client: KubernetesClient
    let sessions: TenantSessions
    let events: EventRecorder
    let operatorNamespace: String
    let clusters: Informer<HostedCluster>
    let pools: Informer<NodePool>
    let machines: Informer<Machine>
    let logger: Logger

    /// One pool at a time: two at once could give one pod network to two nodes.
    func nodePool() -> Controller {
        let controller = Controller(
            name: "nodepool", reconciler: NodePoolReconciler(client: client, sessions: sessions, events: events, logger: logger),
            logger: logger)
        controller.watch(pools) { [ObjectKey($0)] }
        // A Machine that came free, or that changed phase, may matter to any pool; the steps of a plan matter to none.
        controller.watch(machines, when: \.mattersToPools, map: { [pools] _ in pools.list().map { ObjectKey($0) } })
        controller.watch(clusters) { [pools] cluster in
            pools.list().filter { $0.namespace == cluster.namespace && $0.spec?.clusterName == cluster.name }.map { ObjectKey($0) }
        }
        return controller
    }

    func node() -> Controller {
        let controller = Controller(
            name: "node",
            reconciler: NodeReconciler(
                client: client, sessions: sessions, machines: machines, events: events, operatorNamespace: operatorNamespace, logger: logger
            ),
            concurrency: 8, logger: logger)
        controller.watch(machines) { [ObjectKey($0)] }
        controller.watch(pools) { [machines] pool in
            machines.list().filter { $0.status?.claim?.nodePoolUID == pool.metadata.uid }.map { ObjectKey($0) }
        }
        // Its deletion takes its Machines along, and a spec that was refused may make nodes again.
        controller.watch(clusters) { [machines] cluster in
            machines.list().filter { machine in
                machine.status?.claim?.hostedClusterUID == cluster.metadata.uid
                    && (cluster.isLeaving || [.claimed, .joining, .upgrading].contains(machine.status?.phase))
            }.map { ObjectKey($0) }
        }
        return controller
    }
}
