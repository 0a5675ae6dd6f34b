import ControlPlane
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import Logging
import NestboxAPI
import PrometheusMetrics

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
            statusChanged: { cluster in clusterChanges.send(cluster) },
            nodeChanged: { node in machineChanges.send(ObjectKey(name: node)) })

        deployments.onChange { applied.observe($0) }
        statefulSets.onChange { applied.observe($0) }
        services.onChange { applied.observe($0) }
        let reconciler = HostedClusterReconciler(
            client: client, sessions: sessions, hostNodes: hostNodes, hostVersion: hostVersion, applied: applied, events: events,
            operatorNamespace: configuration.namespace, logger: logger,
            sessionOpened: { uid in
                for machine in machines.list() where machine.status?.claim?.hostedClusterUID == uid {
                    machineChanges.send(ObjectKey(name: machine.name))
                }
            })
        let clusterController = Controller(name: "hostedcluster", reconciler: reconciler, concurrency: 4, logger: logger)
        clusterController.watch(clusters, when: \.isAsked, map: { [ObjectKey($0)] })
        clusterController.watch(deployments, when: \.isNoAddition) { Self.cluster(of: $0) }
        clusterController.watch(statefulSets, when: \.isNoAddition) { Self.cluster(of: $0) }
        clusterController.watch(services, when: \.isNoAddition) { Self.cluster(of: $0) }
        clusterController.watch(machines) { machine in
            machine.status?.claim.map { [ObjectKey(namespace: $0.namespace, name: $0.hostedCluster)] } ?? []
        }
        clusterController.watch(
            hostNodes, when: \.movesTraffic,
            map: { _ in
                clusters.list().filter { $0.spec?.publish?.addresses == nil || ($0.spec?.controlPlane?.replicas ?? 1) > 1 }
                    .map { ObjectKey($0) }
            })
        clusterChanges.deliver(to: clusterController)

        let controllers = PoolControllers(
            client: client, sessions: sessions, events: events, operatorNamespace: configuration.namespace, clusters: clusters,
            pools: pools, machines: machines, logger: logger)
        let nodeController = controllers.node()
        machineChanges.deliver(to: nodeController)

        let phases = MachinePhaseEvents(machines: machines, events: events)
        let fleet = FleetMetrics(
            clusters: clusters, pools: pools, machines: machines, deployments: deployments, statefulSets: statefulSets,
            etcd: reconciler.etcdFigures)
        try await MetricsRegistry.shared.collecting(fleet.collect) {
            try await runTogether(
                [clusterController, controllers.nodePool(), nodeController],
                beside: [clusters, pools, machines, hostNodes, deployments, statefulSets, services, sessions, phases], logger: logger)
        }
    }

    /// The HostedCluster that an object of a control plane belongs to.
    private static func cluster(of object: some KubernetesObject) -> [ObjectKey] {
        guard let labels = object.metadata.labels, let name = labels[NestboxLabel.clusterName] else { return [] }
        return [ObjectKey(namespace: labels[NestboxLabel.clusterNamespace], name: name)]
    }
}

extension InformerChange<HostedCluster> {
    /// Whether it can be somebody else's work. The status is this operator's own, and who wrote it knows when to look again; the finalizer
    /// is where it is added, too.
    fileprivate var isAsked: Bool {
        guard case .updated(let old, let new) = self else { return true }
        var metadata = old.metadata
        metadata.resourceVersion = new.metadata.resourceVersion
        if new.metadata.finalizers?.contains(HostedClusterReconciler.finalizer) == true { metadata.finalizers = new.metadata.finalizers }
        return metadata != new.metadata || old.spec != new.spec
    }
}

extension InformerChange {
    /// What is added was made by the pass that has its cluster now, and seen by it.
    fileprivate var isNoAddition: Bool { if case .added = self { false } else { true } }
}
