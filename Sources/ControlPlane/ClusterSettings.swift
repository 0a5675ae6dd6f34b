import FoundationEssentials
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// A valid HostedCluster's spec with every default in its place and every text parsed: what rendering works on.
public struct ClusterSettings: Sendable, Equatable {
    public var name: String
    /// The namespace of the HostedCluster itself.
    public var namespace: String
    public var uid: String
    public var controlPlaneNamespace: String
    public var version: KubernetesVersion
    /// What the release in `spec.release` renders. What changes a pod template asks for `.second` or a newer one.
    public var template: TemplateRevision
    public var replicas: Int
    public var imageRegistry: String
    public var podNetwork: IPv4Network
    public var serviceNetwork: IPv4Network
    public var dnsDomain: String
    public var nodeLocalAPIAddress: IPv4Address
    public var caLifetime: TimeInterval
    public var leafLifetime: TimeInterval
    public var kubeconfigLifetime: TimeInterval
    public var nodeLifetime: TimeInterval
    /// The spec with defaults, for what rendering only passes on.
    public var spec: HostedClusterSpec

    /// Fails with the first thing that validation would name.
    public init(_ cluster: HostedCluster) throws(InvalidCluster) {
        let cluster = cluster.withDefaults()
        guard let uid = cluster.metadata.uid else {
            throw InvalidCluster(path: "metadata.uid", message: "the HostedCluster was not read from an API server")
        }
        guard let spec = cluster.spec, let version = spec.version, version.isSupported else {
            throw InvalidCluster(path: "spec.version", message: "no Kubernetes version that Nestbox knows is set")
        }
        name = cluster.name
        namespace = cluster.namespace ?? "default"
        self.uid = uid
        controlPlaneNamespace = cluster.status?.controlPlaneNamespace ?? ControlPlaneNamespace.name(of: cluster)
        self.version = version
        self.spec = spec
        let release = spec.release ?? cluster.status?.release ?? Defaults.release
        guard let template = TemplateRevision(release: release) else {
            throw InvalidCluster(path: "spec.release", message: "\"\(release)\" is not a release that this Nestbox knows")
        }
        self.template = template
        replicas = spec.controlPlane?.replicas ?? 1
        imageRegistry = spec.controlPlane?.imageRegistry ?? Defaults.imageRegistry
        let network = spec.network ?? NetworkSpec()
        podNetwork = try Self.parse(network.pods, at: "spec.network.pods", as: "an IPv4 CIDR") { IPv4Network($0) }
        serviceNetwork = try Self.parse(network.services, at: "spec.network.services", as: "an IPv4 CIDR") { IPv4Network($0) }
        nodeLocalAPIAddress = try Self.parse(network.nodeLocalAPIAddress, at: "spec.network.nodeLocalAPIAddress", as: "an IPv4 address") {
            IPv4Address($0)
        }
        dnsDomain = network.dnsDomain ?? Defaults.dnsDomain
        let certificates = spec.certificates ?? CertificatesSpec()
        caLifetime = try Self.seconds(certificates.caLifetime, at: "spec.certificates.caLifetime")
        leafLifetime = try Self.seconds(certificates.leafLifetime, at: "spec.certificates.leafLifetime")
        kubeconfigLifetime = try Self.seconds(certificates.kubeconfigLifetime, at: "spec.certificates.kubeconfigLifetime")
        nodeLifetime = try Self.seconds(certificates.nodeLifetime, at: "spec.certificates.nodeLifetime")
        guard serviceNetwork.prefixLength <= 28 else {
            throw InvalidCluster(path: "spec.network.services", message: "\"\(serviceNetwork)\" has no room for the cluster's own Services")
        }
    }

    /// The cluster IP of Service `default/kubernetes`: the first of the network.
    public var kubernetesServiceAddress: IPv4Address { serviceNetwork.address(at: 1) ?? serviceNetwork.base }

    /// The cluster IP of cluster DNS.
    public var dnsServiceAddress: IPv4Address { serviceNetwork.clusterDNSAddress ?? serviceNetwork.base }

    /// The address of the API server on every node.
    public var nodeLocalAPIEndpoint: String { "\(nodeLocalAPIAddress):\(NestboxPort.api)" }

    public var pinned: PinnedVersion { PinnedVersion(version, release: release) }

    /// The tag of Nestbox's own images.
    public var release: String { template.release }

    public var allowsKubeadmJoin: Bool { spec.join?.kubeadm ?? false }

    /// The members that etcd may ever have, whose names and addresses every pod knows, so that growing rolls none. The first revision
    /// knows those alone that it was made with, and does not grow. None of an etcd that somebody else runs.
    public var etcdNames: [String] {
        externalEtcd == nil ? (0..<(template == .first ? replicas : 3)).map(NestboxName.etcdMember) : []
    }

    /// Nil where Nestbox runs etcd itself.
    public var externalEtcd: ExternalEtcdSpec? { spec.etcd?.external }

    private static func parse<Value>(
        _ text: String?, at path: String, as what: String, _ read: (String) -> Value?
    ) throws(InvalidCluster) -> Value {
        guard let text, let value = read(text) else {
            throw InvalidCluster(path: path, message: "\"\(text ?? "")\" is not \(what)")
        }
        return value
    }

    private static func seconds(_ text: String?, at path: String) throws(InvalidCluster) -> TimeInterval {
        try parse(text, at: path, as: "a duration such as 168h") { GoDuration($0)?.seconds }
    }
}

/// A spec that cannot be rendered. Validation says so first, with all that is wrong; this is the second lock.
public struct InvalidCluster: Error, Sendable, Equatable, CustomStringConvertible {
    public var path: String
    public var message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}
