import ControlPlane
import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import ServiceLifecycle
import Synchronization

/// One tenant's API as the control-planes operator sees it: a client, its nodes and its certificate requests, watched.
final class TenantSession: Sendable {
    let cluster: ObjectKey
    let clusterUID: String
    /// The cluster CA, PEM.
    let certificateAuthority: String
    let client: KubernetesClient
    let nodes: Informer<Node>
    let certificateRequests: Informer<CertificateSigningRequest>
    /// What each tunnel server says of the agents that it holds.
    let tunnelReports: Informer<Lease>
    /// The Deployment of cluster DNS, alone.
    let clusterDNS: Informer<Deployment>
    /// The pods of nodes that are being drained.
    let drains: DrainedNodes
    /// To be called when the tenant's API forbids what is done here.
    let rightsLost: @Sendable () -> Void
    private let access: Mutex<ClientConfiguration>
    /// The nodes that kubeadm joined.
    let kubeadm: KubeadmNodes
    private let statusChanged: @Sendable () -> Void
    private let approval: Controller
    private let kubeadmNodes: Controller

    /// - Parameters:
    ///   - rightsLost: called when the tenant's API forbids what is done here.
    ///   - statusChanged: called when something changed in the tenant that its cluster's conditions tell of.
    ///   - nodeChanged: called with the name of a node that was added, changed or deleted, or whose pods are on their way out.
    init(
        cluster: ObjectKey, clusterUID: String, access: ClientConfiguration, logger: Logger,
        rightsLost: @escaping @Sendable () -> Void, statusChanged: @escaping @Sendable () -> Void,
        nodeChanged: @escaping @Sendable (String) -> Void
    ) throws {
        var logger = logger
        logger[metadataKey: "cluster"] = "\(cluster)"
        self.cluster = cluster
        self.clusterUID = clusterUID
        self.access = Mutex(access)
        self.rightsLost = rightsLost
        certificateAuthority = access.certificateAuthority ?? ""
        client = try KubernetesClient(access, userAgent: "nestbox-operator", logger: logger)
        nodes = Informer(client: client, logger: logger)
        certificateRequests = Informer(client: client, logger: logger)
        tunnelReports = Informer(
            client: client, namespace: NestboxName.systemNamespace, labels: TunnelConnected.reportLabel, logger: logger)
        tunnelReports.onChange { _ in statusChanged() }
        clusterDNS = Informer(
            client: client, namespace: CoreDNS.namespace, fields: "metadata.name=\(CoreDNS.name)", logger: logger)
        clusterDNS.onChange { change in if change.changesAvailability { statusChanged() } }
        self.statusChanged = statusChanged
        drains = DrainedNodes(client: client, logger: logger, podsChanged: nodeChanged)
        nodes.onChange { change in
            nodeChanged(change.object.name)
            if case .updated = change { return }
            statusChanged()
        }
        let kubeadm = KubeadmNodes(client: client, nodes: nodes, certificateAuthority: certificateAuthority, logger: logger)
        self.kubeadm = kubeadm
        kubeadmNodes = Controller(name: "kubeadm-nodes", reconciler: kubeadm, logger: logger)
        kubeadm.deliver(to: kubeadmNodes)
        kubeadmNodes.watch(nodes, when: \.mattersToRecords, map: { _ in [KubeadmNodes.all] })
        approval = Controller(
            name: "certificate-approval",
            reconciler: CertificateApproval(
                client: client, requests: certificateRequests, logger: logger, allowsKubeadm: { kubeadm.isAllowed }, rightsLost: rightsLost),
            logger: logger)
        approval.watch(certificateRequests) { [ObjectKey($0)] }
    }

    /// Whether what conditions are told by has been listed once.
    var hasSynced: Bool { nodes.isSynced && clusterDNS.isSynced }

    /// Whether this is where the session reaches its tenant.
    func isReached(at other: ClientConfiguration) -> Bool {
        access.withLock { $0.server == other.server && $0.certificateAuthority == other.certificateAuthority }
    }

    /// Goes on with the certificate of that access: the one before may end, and no watch is taken up anew for it.
    func use(_ other: ClientConfiguration) async {
        let isNew = access.withLock { access in
            guard access.identity.certificate != other.identity.certificate else { return false }
            access.identity = other.identity
            return true
        }
        if isNew { await client.use(other.identity) }
    }

    /// Runs until cancelled: watches that break are taken up again by their informers.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { try? await self.nodes.run() }
            group.addTask { try? await self.certificateRequests.run() }
            group.addTask { try? await self.tunnelReports.run() }
            group.addTask { try? await self.clusterDNS.run() }
            group.addTask { try? await self.tellWhenSynced() }
            group.addTask { try? await self.approval.run() }
            group.addTask { try? await self.kubeadmNodes.run() }
            group.addTask { await self.drains.run() }
        }
        await client.shutdown()
    }

    /// A tenant without nodes has no change to tell of.
    private func tellWhenSynced() async throws {
        try await nodes.waitUntilSynced()
        try await clusterDNS.waitUntilSynced()
        statusChanged()
    }
}
