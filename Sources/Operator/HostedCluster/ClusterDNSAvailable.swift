import ControlPlane
import ControllerRuntime
import KubernetesAPI
import NestboxAPI

/// Whether a tenant's pods can ask cluster DNS, by what its Deployment says. Pure.
struct ClusterDNSAvailable: Equatable {
    static let condition = "ClusterDNSAvailable"

    /// Nil where it can be told neither way.
    var isTrue: Bool?
    var reason: String
    var message = ""
}

extension ClusterDNSAvailable {
    /// Nil where the tenant brings its own.
    ///
    /// - Parameter deployment: nil when there is none.
    init?(_ addon: CoreDNSSpec?, deployment: Deployment?, nodes: Int) {
        guard addon?.enabled == true else { return nil }
        let available = deployment?.status?.availableReplicas ?? 0
        if addon?.image == nil {
            self.init(
                isTrue: false, reason: "NoImage",
                message: "cluster DNS is not deployed: set spec.addons.coreDNS.image to an image of CoreDNS that the nodes can pull, "
                    + "or spec.addons.coreDNS.enabled to false where the tenant brings its own")
        } else if available > 0 {
            self.init(isTrue: true, reason: "Available")
        } else if nodes == 0 {
            self.init(isTrue: nil, reason: "NoNodes", message: "CoreDNS runs on the cluster's nodes, and there is none yet")
        } else {
            self.init(
                isTrue: false, reason: "NotAvailable",
                message: "no replica of CoreDNS is available on \(nodes) nodes: kubectl -n kube-system describe pods -l k8s-app=kube-dns "
                    + "in the tenant, and their logs, say why; where machines have no resolver, set spec.addons.coreDNS.upstreams")
        }
    }
}

extension ClusterReport {
    /// By what the session sees; before it has seen anything, what was told stays.
    mutating func tellDNS(_ settings: ClusterSettings, _ session: TenantSession) {
        guard session.hasSynced else { return }
        let found = ClusterDNSAvailable(
            settings.spec.addons?.coreDNS, deployment: session.clusterDNS.list().first, nodes: session.nodes.list().count)
        guard let found else { return remove(ClusterDNSAvailable.condition) }
        if let isTrue = found.isTrue {
            set(ClusterDNSAvailable.condition, isTrue, reason: found.reason, message: found.message)
        } else {
            setUnknown(ClusterDNSAvailable.condition, reason: found.reason, message: found.message)
        }
    }
}

extension InformerChange where T == Deployment {
    /// Whether some replica is available and was not, or the other way round.
    var changesAvailability: Bool {
        guard case .updated(let old, let new) = self else { return true }
        return (old.status?.availableReplicas ?? 0 > 0) != (new.status?.availableReplicas ?? 0 > 0)
    }
}
