import ControllerRuntime
import KubernetesAPI
import KubernetesClient
import Logging
import ServiceLifecycle

/// One tenant's API as the control-planes operator sees it: a client, its nodes and its certificate requests, watched.
final class TenantSession: Sendable {
    let cluster: ObjectKey
    let clusterUID: String
    /// The cluster CA, PEM.
    let certificateAuthority: String
    let client: KubernetesClient
    let nodes: Informer<Node>
    let certificateRequests: Informer<CertificateSigningRequest>
    private let approval: Controller

    /// - Parameter nodeChanged: called with the name of a node that was added, changed or deleted.
    init(
        cluster: ObjectKey, clusterUID: String, access: ClientConfiguration, logger: Logger,
        nodeChanged: @escaping @Sendable (String) -> Void
    ) throws {
        var logger = logger
        logger[metadataKey: "cluster"] = "\(cluster)"
        self.cluster = cluster
        self.clusterUID = clusterUID
        certificateAuthority = access.certificateAuthority ?? ""
        client = try KubernetesClient(access, userAgent: "nestbox-operator", logger: logger)
        nodes = Informer(client: client, logger: logger)
        certificateRequests = Informer(client: client, logger: logger)
        nodes.onChange { change in nodeChanged(change.object.name) }
        approval = Controller(
            name: "certificate-approval", reconciler: CertificateApproval(client: client, requests: certificateRequests, logger: logger),
            logger: logger)
        approval.watch(certificateRequests) { [ObjectKey($0)] }
    }

    /// Runs until cancelled: watches that break are taken up again by their informers.
    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { try? await self.nodes.run() }
            group.addTask { try? await self.certificateRequests.run() }
            group.addTask { try? await self.approval.run() }
        }
        await client.shutdown()
    }
}
