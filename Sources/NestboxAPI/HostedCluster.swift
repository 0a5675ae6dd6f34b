import KubernetesAPI
import KubernetesVersions

/// A tenant's cluster: a control plane run as pods of the host, and the settings its nodes follow.
public struct HostedCluster: KubernetesObject {
    public static let resourceType = ResourceType(
        group: nestboxGroup, version: "v1alpha1", kind: "HostedCluster", resource: "hostedclusters")

    public var apiVersion: String? = resourceType.apiVersion
    public var kind: String? = resourceType.kind
    public var metadata: ObjectMeta
    public var spec: HostedClusterSpec?
    public var status: HostedClusterStatus?

    public init(metadata: ObjectMeta, spec: HostedClusterSpec? = nil, status: HostedClusterStatus? = nil) {
        self.metadata = metadata
        self.spec = spec
        self.status = status
    }
}

public struct HostedClusterSpec: Codable, Sendable, Equatable {
    /// The Kubernetes version of the control plane.
    public var version: KubernetesVersion?
    /// What Nestbox renders the control plane with: a template revision and the images that go with it.
    /// Pinned when the cluster is first accepted, so that upgrading the operator rolls nobody: left out, it stays what it was.
    public var release: String?
    public var controlPlane: ControlPlaneSpec?
    public var etcd: EtcdSpec?
    public var network: NetworkSpec?
    public var publish: PublishSpec?
    public var certificates: CertificatesSpec?
    public var addons: AddonsSpec?
    public var join: JoinSpec?
    /// RFC 3339; until then nothing is reconciled but deletion.
    public var pausedUntil: String?
    /// While it is true, a deletion that was asked for tears nothing down; false unless set.
    public var deletionProtection: Bool?

    public init(
        version: KubernetesVersion? = nil, release: String? = nil, controlPlane: ControlPlaneSpec? = nil, etcd: EtcdSpec? = nil,
        network: NetworkSpec? = nil, publish: PublishSpec? = nil, certificates: CertificatesSpec? = nil,
        addons: AddonsSpec? = nil, join: JoinSpec? = nil, pausedUntil: String? = nil, deletionProtection: Bool? = nil
    ) {
        self.version = version
        self.release = release
        self.controlPlane = controlPlane
        self.etcd = etcd
        self.network = network
        self.publish = publish
        self.certificates = certificates
        self.addons = addons
        self.join = join
        self.pausedUntil = pausedUntil
        self.deletionProtection = deletionProtection
    }
}

public struct ControlPlaneSpec: Codable, Sendable, Equatable {
    /// 1 or 3.
    public var replicas: Int?
    /// Where the Kubernetes images come from; they are named as upstream names them. `registry.k8s.io` unless set.
    public var imageRegistry: String?
    /// Requests of the whole control-plane pod, by component.
    public var resources: [String: ResourceRequirements]?
    public var nodeSelector: [String: String]?
    public var tolerations: [Toleration]?
    public var priorityClassName: String?
    public var extraArguments: ExtraArguments?
    public var audit: AuditSpec?
    public var oidc: OIDCSpec?

    public init(
        replicas: Int? = nil, imageRegistry: String? = nil, resources: [String: ResourceRequirements]? = nil,
        nodeSelector: [String: String]? = nil, tolerations: [Toleration]? = nil, priorityClassName: String? = nil,
        extraArguments: ExtraArguments? = nil, audit: AuditSpec? = nil, oidc: OIDCSpec? = nil
    ) {
        self.replicas = replicas
        self.imageRegistry = imageRegistry
        self.resources = resources
        self.nodeSelector = nodeSelector
        self.tolerations = tolerations
        self.priorityClassName = priorityClassName
        self.extraArguments = extraArguments
        self.audit = audit
        self.oidc = oidc
    }
}

/// Flags added to a component, by name without dashes. Those that Nestbox relies on are refused.
public struct ExtraArguments: Codable, Sendable, Equatable {
    public var apiServer: [String: String]?
    public var controllerManager: [String: String]?
    public var scheduler: [String: String]?
    public var etcd: [String: String]?

    public init(
        apiServer: [String: String]? = nil, controllerManager: [String: String]? = nil, scheduler: [String: String]? = nil,
        etcd: [String: String]? = nil
    ) {
        self.apiServer = apiServer
        self.controllerManager = controllerManager
        self.scheduler = scheduler
        self.etcd = etcd
    }
}

public struct EtcdSpec: Codable, Sendable, Equatable {
    /// One that somebody else runs, instead of one of Nestbox's own.
    public var external: ExternalEtcdSpec?
    public var storage: EtcdStorageSpec?
    /// The image, whole; `IMAGEREGISTRY/etcd` with the tag that goes with the Kubernetes version unless set.
    public var image: String?

    public init(external: ExternalEtcdSpec? = nil, storage: EtcdStorageSpec? = nil, image: String? = nil) {
        self.external = external
        self.storage = storage
        self.image = image
    }
}

/// Several clusters may share one: each writes below a prefix of its own, which Nestbox makes and nobody chooses.
public struct ExternalEtcdSpec: Codable, Sendable, Equatable {
    /// Of its members, as `https://etcd-1.example.net:2379`.
    public var endpoints: [String]?
    /// The Secret, in the HostedCluster's namespace, with `ca.crt`, `tls.crt` and `tls.key`.
    public var secretName: String?

    public init(endpoints: [String]? = nil, secretName: String? = nil) {
        self.endpoints = endpoints
        self.secretName = secretName
    }
}

public struct EtcdStorageSpec: Codable, Sendable, Equatable {
    /// A quantity, such as `8Gi`.
    public var size: String?
    /// The host's default StorageClass unless set.
    public var storageClassName: String?

    public init(size: String? = nil, storageClassName: String? = nil) {
        self.size = size
        self.storageClassName = storageClassName
    }
}

public struct NetworkSpec: Codable, Sendable, Equatable {
    /// The CIDR pods get their addresses from; each node carries a /24 of it.
    public var pods: String?
    /// The CIDR of Services' cluster IPs.
    public var services: String?
    public var dnsDomain: String?
    /// The address at which every node reaches its API server; `nestbox-node` holds it on loopback.
    public var nodeLocalAPIAddress: String?
    /// `bridge` (built in, no NetworkPolicy) or `none` (bring your own).
    public var cni: String?

    public init(
        pods: String? = nil, services: String? = nil, dnsDomain: String? = nil, nodeLocalAPIAddress: String? = nil,
        cni: String? = nil
    ) {
        self.pods = pods
        self.services = services
        self.dnsDomain = dnsDomain
        self.nodeLocalAPIAddress = nodeLocalAPIAddress
        self.cni = cni
    }
}

public struct PublishSpec: Codable, Sendable, Equatable {
    /// `NodePort` or `LoadBalancer`.
    public var type: String?
    /// Addresses or names under which the host's nodes are reached from outside, for NodePort; the host nodes' own unless set.
    public var addresses: [String]?
    /// Further names and addresses in the API server's certificate.
    public var subjectAlternativeNames: [String]?
    /// `Local` or `Cluster`: whether a node of the host answers for its own replicas alone. Unless set, `Local` with three replicas
    /// that all serve, behind a LoadBalancer or where no more than three nodes publish, and `Cluster` else.
    public var externalTrafficPolicy: String?

    public init(
        type: String? = nil, addresses: [String]? = nil, subjectAlternativeNames: [String]? = nil, externalTrafficPolicy: String? = nil
    ) {
        self.type = type
        self.addresses = addresses
        self.subjectAlternativeNames = subjectAlternativeNames
        self.externalTrafficPolicy = externalTrafficPolicy
    }
}

/// Lifetimes as Go durations (`8760h`).
public struct CertificatesSpec: Codable, Sendable, Equatable {
    public var caLifetime: String?
    public var leafLifetime: String?
    public var kubeconfigLifetime: String?
    /// Of kubelets' certificates; 168h at most.
    public var nodeLifetime: String?

    public init(
        caLifetime: String? = nil, leafLifetime: String? = nil, kubeconfigLifetime: String? = nil, nodeLifetime: String? = nil
    ) {
        self.caLifetime = caLifetime
        self.leafLifetime = leafLifetime
        self.kubeconfigLifetime = kubeconfigLifetime
        self.nodeLifetime = nodeLifetime
    }
}

public struct AddonsSpec: Codable, Sendable, Equatable {
    public var kubeProxy: AddonSpec?
    public var coreDNS: CoreDNSSpec?

    public init(kubeProxy: AddonSpec? = nil, coreDNS: CoreDNSSpec? = nil) {
        self.kubeProxy = kubeProxy
        self.coreDNS = coreDNS
    }
}

public struct AddonSpec: Codable, Sendable, Equatable {
    public var enabled: Bool?
    public var image: String?

    public init(enabled: Bool? = nil, image: String? = nil) {
        self.enabled = enabled
        self.image = image
    }
}

/// Cluster DNS.
public struct CoreDNSSpec: Codable, Sendable, Equatable {
    public var enabled: Bool?
    public var image: String?
    /// Who is asked for names outside the cluster, each `address[:port]`. Left out, the resolvers of the machine that CoreDNS runs on;
    /// an empty list is nobody, and the cluster's own names alone are answered.
    public var upstreams: [String]?

    public init(enabled: Bool? = nil, image: String? = nil, upstreams: [String]? = nil) {
        self.enabled = enabled
        self.image = image
        self.upstreams = upstreams
    }
}

public struct JoinSpec: Codable, Sendable, Equatable {
    /// Allows plain `kubeadm join`, with kubeadm's weaker guarantee of who gets which node's name.
    public var kubeadm: Bool?

    public init(kubeadm: Bool? = nil) {
        self.kubeadm = kubeadm
    }
}

public struct HostedClusterStatus: Codable, Sendable, Equatable {
    public var observedGeneration: Int?
    public var conditions: [Condition]?
    /// The host namespace that holds the control plane.
    public var controlPlaneNamespace: String?
    /// Where the API server is reached from outside: `host:port`, most preferred first.
    public var apiEndpoints: [String]?
    /// Where tunnel agents connect: `host:port`.
    public var tunnelEndpoints: [String]?
    /// Earlier ones, until nodes have confirmed that they know the new.
    public var retiringEndpoints: RetiringEndpoints?
    /// SHA-256 of the cluster CA's public key (SPKI), as `sha256:<hex>`.
    public var caFingerprint: String?
    /// etcd's own id of the cluster, once bootstrapped: data that answers with another id is not this cluster's.
    public var etcdClusterID: String?
    /// Tag of the newest image of etcd that has run on this cluster's data: an older one cannot open it any more.
    public var etcdImageTag: String?
    /// Below which keys of an external etcd all of this cluster's lie, from when something may be there to when it was removed.
    public var etcdPrefix: String?
    /// The version that serves from every replica: while it is upgraded, the older one.
    public var version: KubernetesVersion?
    /// The release that the control plane is pinned to.
    public var release: String?
    public var versionHistory: [VersionHistoryEntry]?
    /// What came of the newest question about an upgrade.
    public var upgradeCheck: UpgradeAnswer?
    /// The Secret, in the HostedCluster's namespace, that holds the admin kubeconfig under `kubeconfig`.
    public var kubeconfigSecret: String?
    public var nodes: NodeCounts?
    public var controlPlane: ReplicaCounts?
    /// Of an etcd that Nestbox runs.
    public var etcd: EtcdMemberCounts?
    /// While deleting: what is being waited for, in words.
    public var deletion: String?
    public var certificates: CertificatesStatus?

    public init(
        observedGeneration: Int? = nil, conditions: [Condition]? = nil, controlPlaneNamespace: String? = nil,
        apiEndpoints: [String]? = nil, tunnelEndpoints: [String]? = nil, retiringEndpoints: RetiringEndpoints? = nil,
        caFingerprint: String? = nil,
        etcdClusterID: String? = nil, etcdImageTag: String? = nil, etcdPrefix: String? = nil, version: KubernetesVersion? = nil,
        release: String? = nil,
        versionHistory: [VersionHistoryEntry]? = nil, upgradeCheck: UpgradeAnswer? = nil, kubeconfigSecret: String? = nil,
        nodes: NodeCounts? = nil, controlPlane: ReplicaCounts? = nil, etcd: EtcdMemberCounts? = nil, deletion: String? = nil,
        certificates: CertificatesStatus? = nil
    ) {
        self.observedGeneration = observedGeneration
        self.conditions = conditions
        self.controlPlaneNamespace = controlPlaneNamespace
        self.apiEndpoints = apiEndpoints
        self.tunnelEndpoints = tunnelEndpoints
        self.retiringEndpoints = retiringEndpoints
        self.caFingerprint = caFingerprint
        self.etcdClusterID = etcdClusterID
        self.etcdImageTag = etcdImageTag
        self.etcdPrefix = etcdPrefix
        self.version = version
        self.release = release
        self.versionHistory = versionHistory
        self.upgradeCheck = upgradeCheck
        self.kubeconfigSecret = kubeconfigSecret
        self.nodes = nodes
        self.controlPlane = controlPlane
        self.etcd = etcd
        self.deletion = deletion
        self.certificates = certificates
    }
}

/// Where a control plane was published before: nodes are told these beside the new ones for a while.
public struct RetiringEndpoints: Codable, Sendable, Equatable {
    /// `host:port` of the API server.
    public var api: [String]
    /// `host:port` of the tunnel.
    public var tunnel: [String]
    /// RFC 3339: when it was published elsewhere.
    public var since: String

    public init(api: [String], tunnel: [String], since: String) {
        self.api = api
        self.tunnel = tunnel
        self.since = since
    }
}

public struct NodeCounts: Codable, Sendable, Equatable {
    public var total: Int
    public var ready: Int

    public init(total: Int, ready: Int) {
        self.total = total
        self.ready = ready
    }
}

/// Of a control plane's pods.
public struct ReplicaCounts: Codable, Sendable, Equatable {
    /// How many are wanted.
    public var replicas: Int
    /// How many run, those on their way out too.
    public var running: Int
    /// How many serve.
    public var ready: Int

    public init(replicas: Int, running: Int, ready: Int) {
        self.replicas = replicas
        self.running = running
        self.ready = ready
    }
}

public struct EtcdMemberCounts: Codable, Sendable, Equatable {
    /// Those that have a vote.
    public var members: Int
    /// Those of them that answer and follow a leader.
    public var ready: Int

    public init(members: Int, ready: Int) {
        self.members = members
        self.ready = ready
    }
}
