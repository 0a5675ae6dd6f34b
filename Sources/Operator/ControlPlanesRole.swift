import ControlPlane
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import Logging
import NestboxAPI

/// The half of the operator that holds tenants' keys: control planes, node pools, and each tenant's nodes.
struct ControlPlanesRole {
    let configuration: OperatorConfiguration
    let client: KubernetesClient
    let logger: Logger

    init(_ configuration: OperatorConfiguration, client: KubernetesClient, logger: Logger) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
    }

    func run() async throws {
        let text = try await client.serverVersion()
        guard let hostVersion = KubernetesVersion(text) else { throw PhaseError("the host calls its version \"\(text)\", which is none") }
        let events = EventRecorder(client: client, component: "nestbox-control-planes")
        let clusters = Informer<HostedCluster>(client: client, logger: logger)
        let pools = Informer<NodePool>(client: client, logger: logger)
        let machines = Informer<Machine>(client: client, logger: logger)
        let hostNodes = Informer<Node>(client: client, logger: logger)
        // What a tenant's control plane is made of on the host: a change of any brings its HostedCluster back.
        let deployments = Informer<Deployment>(client: client, labels: NestboxLabel.clusterUID, logger: logger)
        let statefulSets = Informer<StatefulSet>(client: client, labels: NestboxLabel.clusterUID, logger: logger)
        let services = Informer<KubernetesAPI.Service>(client: client, labels: NestboxLabel.clusterUID, logger: logger)

        let machineChanges = KeyRelay()
        let clusterChanges = KeyRelay()
        let applied = AppliedObjects()
        let sessions = TenantSessions(
            logger: logger,
            rightsLost: { cluster, uid in
                applied.forget(scope: AppliedObjects.inside(uid))
                clusterChanges.send(cluster)
            },
            nodeChanged: { node in machineChanges.send(ObjectKey(name: node)) })

        deployments.onChange { applied.observe($0) }
        statefulSets.onChange { applied.observe($0) }
        services.onChange { applied.observe($0) }
        let clusterController = Controller(
            name: "hostedcluster",
            reconciler: HostedClusterReconciler(
                client: client, sessions: sessions, hostNodes: hostNodes, hostVersion: hostVersion, applied: applied, events: events,
                operatorNamespace: configuration.namespace, logger: logger,
                sessionOpened: { uid in
                    for machine in machines.list() where machine.status?.claim?.hostedClusterUID == uid {
                        machineChanges.send(ObjectKey(name: machine.name))
                    }
                }),
            concurrency: 4, logger: logger)
        clusterController.watch(clusters) { [ObjectKey($0)] }
        clusterController.watch(deployments) { Self.cluster(of: $0) }
        clusterController.watch(statefulSets) { Self.cluster(of: $0) }
        clusterController.watch(services) { Self.cluster(of: $0) }
        clusterController.watch(machines) { machine in
            machine.status?.claim.map { [ObjectKey(namespace: $0.namespace, name: $0.hostedCluster)] } ?? []
        }
        clusterController.watch(
            hostNodes, when: \.movesAddresses,
            map: { _ in clusters.list().filter { $0.spec?.publish?.addresses == nil }.map { ObjectKey($0) } })
        clusterChanges.deliver(to: clusterController)

        let poolController = Controller(
            name: "nodepool", reconciler: NodePoolReconciler(client: client, events: events, logger: logger), logger: logger)
        poolController.watch(pools) { [ObjectKey($0)] }
        // A Machine that came free, or that changed phase, may matter to any pool.
        poolController.watch(machines) { _ in pools.list().map { ObjectKey($0) } }
        poolController.watch(clusters) { cluster in
            pools.list().filter { $0.namespace == cluster.namespace && $0.spec?.clusterName == cluster.name }.map { ObjectKey($0) }
        }

        let nodeController = Controller(
            name: "node",
            reconciler: NodeReconciler(
                client: client, sessions: sessions, events: events, operatorNamespace: configuration.namespace, logger: logger),
            concurrency: 8, logger: logger)
        nodeController.watch(machines) { [ObjectKey($0)] }
        nodeController.watch(pools) { pool in
            machines.list().filter { $0.status?.claim?.nodePoolUID == pool.metadata.uid }.map { ObjectKey($0) }
        }
        // Its deletion takes its Machines along, and a spec that was refused may make nodes again.
        nodeController.watch(clusters) { cluster in
            machines.list().filter { machine in
                machine.status?.claim?.hostedClusterUID == cluster.metadata.uid
                    && (cluster.metadata.isBeingDeleted || [.claimed, .joining, .upgrading].contains(machine.status?.phase))
            }.map { ObjectKey($0) }
        }
        machineChanges.deliver(to: nodeController)

        try await runTogether(
            [clusterController, poolController, nodeController],
            beside: [clusters, pools, machines, hostNodes, deployments, statefulSets, services, sessions], logger: logger)
    }

    /// The HostedCluster that an object of a control plane belongs to.
    private static func cluster(of object: some KubernetesObject) -> [ObjectKey] {
        guard let labels = object.metadata.labels, let name = labels[NestboxLabel.clusterName] else { return [] }
        return [ObjectKey(namespace: labels[NestboxLabel.clusterNamespace], name: name)]
    }
}
