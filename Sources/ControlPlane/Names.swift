import Crypto
import HexDigest
import KubernetesAPI
import NestboxAPI

/// The namespace of the host that holds one cluster's control plane.
public enum ControlPlaneNamespace {
    /// `hcp-<namespace>-<name>-<hash>`, cut to the 63 characters a namespace may have. The hash is of both names with a slash between,
    /// which neither can hold: `a-b`/`c` and `a`/`b-c` differ in it.
    public static func name(namespace: String, cluster: String) -> String {
        let hash = hexadecimal(SHA256.hash(data: Array("\(namespace)/\(cluster)".utf8)).prefix(6))
        var readable = "hcp-\(namespace)-\(cluster)".prefix(63 - 1 - hash.count)
        while readable.last == "-" { readable = readable.dropLast() }
        return "\(readable)-\(hash)"
    }

    public static func name(of cluster: HostedCluster) -> String {
        name(namespace: cluster.namespace ?? "default", cluster: cluster.name)
    }
}

/// Labels and annotations on what Nestbox makes.
public enum NestboxLabel {
    /// The HostedCluster's UID, on its namespace and on all in it: what does not carry it is never written or deleted.
    public static let clusterUID = "nestbox.dev/cluster-uid"
    public static let clusterName = "nestbox.dev/cluster-name"
    public static let clusterNamespace = "nestbox.dev/cluster-namespace"
    /// `etcd` or `control-plane`, on pods.
    public static let component = "nestbox.dev/component"
    /// On the operator's own namespace; network policies let it in to etcd.
    public static let operatorNamespace = "nestbox.dev/operator"
    /// On a namespace of the host whose pods may read the metrics of control planes.
    public static let monitoringNamespace = "nestbox.dev/monitoring"
    /// `node` or `endpoints`, on the operator's record inside the tenant.
    public static let record = "nestbox.dev/record"
    /// On a Node of the tenant: its NodePool.
    public static let nodePool = "nestbox.dev/nodepool"
    /// Of a pod template: what its containers cannot reload, hashed. It changing is the cause of a rollout.
    public static let keysHash = "nestbox.dev/keys-hash"
    public static let configurationHash = "nestbox.dev/configuration-hash"
    public static let managedBy = "app.kubernetes.io/managed-by"
}

/// Names of objects, users and groups that more than one module speaks of.
public enum NestboxName {
    public static let fieldManager = "nestbox"
    /// Nestbox's namespace, on the host and inside each tenant.
    public static let systemNamespace = "nestbox-system"
    public static let apiService = "kube-apiserver"
    public static let tunnelService = "tunnel"
    public static let controlPlaneDeployment = "control-plane"
    public static let etcdStatefulSet = "etcd"
    /// The tunnel server's name in its serving certificate, whatever address agents dial.
    public static let tunnelServerName = "nestbox-tunnel"

    public static let adminUser = "nestbox-admin"
    public static let operatorUser = "system:nestbox:operator"
    public static let bootstrapUser = "system:nestbox:bootstrap"
    public static let tunnelUser = "system:nestbox:tunnel"
    /// Bootstrap tokens that the operator makes are of this group: it may create CSRs, and nothing approves them but the operator.
    public static let bootstrappersGroup = "system:bootstrappers:nestbox"
    /// Tokens for plain `kubeadm join` are of this one.
    public static let kubeadmBootstrappersGroup = "system:bootstrappers:kubeadm:default-node-token"

    /// In the control-plane namespace: the copy of the Secret that `spec.controlPlane.audit.webhook` names.
    public static let auditWebhookSecret = "audit-webhook"

    public static let apiEndpointsRecord = "api-endpoints"

    public static func etcdMember(_ index: Int) -> String { "etcd-\(index)" }
}

/// Ports inside the control-plane pods.
public enum NestboxPort {
    public static let api = 6443
    public static let tunnelAgents = 8132
    public static let tunnelPeers = 8133
    public static let tunnelHealth = 8134
    public static let etcdClients = 2379
    public static let etcdPeers = 2380
    public static let etcdMetrics = 2381
    public static let controllerManager = 10257
    public static let scheduler = 10259
}
