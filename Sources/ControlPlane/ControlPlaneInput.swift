import FoundationEssentials
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// All that a control plane is rendered from: nothing is read from anywhere else.
public struct ControlPlaneInput: Sendable {
    public var settings: ClusterSettings
    public var keys: ClusterKeys
    /// What is published so far; empty before the host has given the Services their ports.
    public var endpoints: PublishedEndpoints
    /// What nodes are told of it where that differs: while endpoints change, the old beside the new.
    public var toldEndpoints: PublishedEndpoints?
    /// The cluster IPs of the Services `etcd-0`, `etcd-1`, ..., in order; one a name that etcd may ever have.
    public var etcdServiceAddresses: [String]
    /// To the etcd that the cluster brings, where it brings one.
    public var externalEtcd: ExternalEtcdInput?
    /// Whether etcd has held this cluster's data before: `status.etcdClusterID` is set.
    public var isBootstrapped: Bool
    /// Of the etcd that runs, where the spec names no image: that which goes with the version, unless a newer one runs already.
    public var etcdImageTag: String
    /// How far a change of `replicas` has come: as far as it can, unless the operator says otherwise.
    public var scale: ControlPlaneScale
    /// The host's version, for the API versions of what is written there.
    public var hostVersion: KubernetesVersion
    /// CoreDNS's image, when it can be had.
    public var coreDNSImage: String?
    /// The kubeconfig by which audit events are sent, while it can be had.
    public var auditWebhook: String?

    public init(
        cluster: HostedCluster, keys: ClusterKeys, endpoints: PublishedEndpoints, etcdServiceAddresses: [String],
        hostVersion: KubernetesVersion, etcdImageTag: String? = nil, coreDNSImage: String? = nil, auditWebhook: String? = nil
    ) throws(InvalidCluster) {
        settings = try ClusterSettings(cluster)
        self.keys = keys
        self.endpoints = endpoints
        self.etcdServiceAddresses = etcdServiceAddresses
        isBootstrapped = cluster.status?.etcdClusterID != nil
        self.etcdImageTag = etcdImageTag ?? settings.version.etcdImageTag
        scale = ControlPlaneScale(replicas: settings.replicas)
        self.hostVersion = hostVersion
        self.coreDNSImage = coreDNSImage ?? settings.spec.addons?.coreDNS?.image
        self.auditWebhook = auditWebhook
    }
}

/// The desired state of a control plane in the host, in the order in which it can come to be.
///
/// ```
/// namespace ─▶ services ─▶ (host gives ports and addresses) ─▶ keys ─▶ secrets ─▶ etcd ─▶ pods ─▶ TenantObjects
/// ```
/// Pure: the same input makes the same objects, to the byte.
public enum ControlPlane {
    /// The namespace and what closes it off. Check before applying that an existing namespace carries this cluster's UID.
    public static func namespace(_ settings: ClusterSettings) -> [any KubernetesObject] { NamespaceObjects.render(settings) }

    /// The published Services and etcd's, one a member. `known` is where they were published before.
    public static func services(
        _ settings: ClusterSettings, known: PublishedEndpoints, traffic: TrafficPolicy = .cluster
    ) -> [any KubernetesObject] {
        PublishedServices.render(settings, known: known, traffic: traffic) + EtcdServices.render(settings)
    }

    /// The keys, one Secret a reader.
    public static func secrets(_ input: ControlPlaneInput) throws(PKIError) -> [any KubernetesObject] {
        try input.keys.secrets(input.settings)
    }

    /// Of an external one: a copy of the Secret that leads to it.
    public static func etcd(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        guard input.settings.externalEtcd == nil else {
            return input.externalEtcd.map { [ExternalEtcd.secret(input.settings, $0.keys)] } ?? []
        }
        return EtcdStatefulSet.render(input)
    }

    /// How many members of etcd the API servers of what was rendered are told of.
    public static func etcdServers(of deployment: Deployment) -> Int? {
        deployment.spec?.template?.spec.flatMap(APIServer.etcdServers)
    }

    /// The control-plane pods. Not to be applied before `secrets`: a pod that waits for a Secret looks again only after a minute or so.
    public static func pods(_ input: ControlPlaneInput) throws(PKIError) -> [any KubernetesObject] {
        try ControlPlaneDeployment.render(input)
    }

    /// What another spec may have left in the namespace that this one does not ask for, to be removed where it is.
    public static func unneeded(_ input: ControlPlaneInput) -> [any KubernetesObject] {
        DisruptionBudgets.unneeded(input) + NetworkPolicies.unneeded(input.settings) + Audit.unneeded(input.settings)
    }

    /// All phases, in order.
    public static func desiredState(of input: ControlPlaneInput) throws(PKIError) -> [Phase] {
        [
            Phase(name: "Namespace", objects: namespace(input.settings)),
            Phase(name: "Services", objects: services(input.settings, known: PublishedEndpoints())),
            Phase(name: "Keys", objects: try secrets(input)),
            Phase(name: "Etcd", objects: etcd(input)),
            Phase(name: "Pods", objects: try pods(input)),
        ]
    }

    public struct Phase: Sendable {
        public var name: String
        public var objects: [any KubernetesObject]
    }

    /// The images of a control-plane pod that tell what it was made as.
    public static func markingImages(_ pinned: PinnedVersion, imageRegistry: String) -> Set<String> {
        ["\(imageRegistry)/\(APIServer.name):\(pinned.version)", TunnelServer.image(release: pinned.release)]
    }

    public static func etcdImage(_ input: ControlPlaneInput) -> String { EtcdStatefulSet.image(input) }
}
