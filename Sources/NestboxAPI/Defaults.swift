import KubernetesAPI

/// What a field is when its author left it out. The operator applies these in memory and never writes them back.
public enum Defaults {
    /// The release whose template and images a new cluster is pinned to.
    public static let release = TemplateRevision.newest.release
    public static let imageRegistry = "registry.k8s.io"
    public static let priorityClassName = "nestbox-control-plane"
    public static let etcdStorageSize = "8Gi"
    public static let podNetwork = "10.244.0.0/16"
    public static let serviceNetwork = "10.96.0.0/16"
    public static let dnsDomain = "cluster.local"
    public static let nodeLocalAPIAddress = "172.20.0.1"
    /// Each node carries one block of this length of the pod network.
    public static let nodePrefixLength = 24
    public static let caLifetime = "87600h"
    public static let leafLifetime = "8760h"
    public static let kubeconfigLifetime = "720h"
    /// Also the most that is allowed: a removed node's certificate is worth nothing after it.
    public static let nodeLifetime = "168h"
    public static let drainTimeout = "10m"
    public static let unhealthyTimeout = "10m"
    public static let readyTimeout = "10m"
}

extension HostedCluster {
    /// The cluster with every default in its place, but for `version`, which has none, and `release`, which is what it was when the cluster
    /// was accepted: what is newest changes.
    public func withDefaults() -> HostedCluster {
        var cluster = self
        var spec = self.spec ?? HostedClusterSpec()
        spec.controlPlane = (spec.controlPlane ?? ControlPlaneSpec()).withDefaults()
        spec.etcd = (spec.etcd ?? EtcdSpec()).withDefaults()
        spec.network = (spec.network ?? NetworkSpec()).withDefaults()
        spec.publish = (spec.publish ?? PublishSpec()).withDefaults()
        spec.certificates = (spec.certificates ?? CertificatesSpec()).withDefaults()
        spec.addons = (spec.addons ?? AddonsSpec()).withDefaults()
        spec.join = JoinSpec(kubeadm: spec.join?.kubeadm ?? false)
        spec.deletionProtection = spec.deletionProtection ?? false
        cluster.spec = spec
        return cluster
    }
}

extension EtcdSpec {
    fileprivate func withDefaults() -> EtcdSpec {
        var spec = self
        if external != nil { return spec }
        spec.storage = EtcdStorageSpec(size: storage?.size ?? Defaults.etcdStorageSize, storageClassName: storage?.storageClassName)
        return spec
    }
}

extension PublishSpec {
    fileprivate func withDefaults() -> PublishSpec {
        var spec = self
        spec.type = type ?? "NodePort"
        return spec
    }
}

extension AddonsSpec {
    fileprivate func withDefaults() -> AddonsSpec {
        var spec = AddonsSpec(kubeProxy: kubeProxy ?? AddonSpec(), coreDNS: coreDNS ?? CoreDNSSpec())
        spec.kubeProxy?.enabled = kubeProxy?.enabled ?? true
        spec.coreDNS?.enabled = coreDNS?.enabled ?? true
        return spec
    }
}

extension ControlPlaneSpec {
    fileprivate func withDefaults() -> ControlPlaneSpec {
        var spec = self
        spec.replicas = replicas ?? 1
        spec.imageRegistry = imageRegistry ?? Defaults.imageRegistry
        spec.priorityClassName = priorityClassName ?? Defaults.priorityClassName
        spec.audit = audit?.withDefaults()
        spec.oidc = oidc?.withDefaults()
        return spec
    }
}

extension AuditSpec {
    fileprivate func withDefaults() -> AuditSpec {
        guard hasLog else { return self }
        var spec = self
        var log = self.log ?? AuditLogSpec()
        log.destination = log.destination ?? .standardOutput
        spec.log = log
        return spec
    }
}

extension OIDCSpec {
    fileprivate func withDefaults() -> OIDCSpec {
        var spec = self
        spec.usernameClaim = usernameClaim ?? "sub"
        return spec
    }
}

extension NetworkSpec {
    fileprivate func withDefaults() -> NetworkSpec {
        var spec = self
        spec.pods = pods ?? Defaults.podNetwork
        spec.services = services ?? Defaults.serviceNetwork
        spec.dnsDomain = dnsDomain ?? Defaults.dnsDomain
        spec.nodeLocalAPIAddress = nodeLocalAPIAddress ?? Defaults.nodeLocalAPIAddress
        spec.cni = cni ?? "bridge"
        return spec
    }
}

extension CertificatesSpec {
    fileprivate func withDefaults() -> CertificatesSpec {
        var spec = self
        spec.caLifetime = caLifetime ?? Defaults.caLifetime
        spec.leafLifetime = leafLifetime ?? Defaults.leafLifetime
        spec.kubeconfigLifetime = kubeconfigLifetime ?? Defaults.kubeconfigLifetime
        spec.nodeLifetime = nodeLifetime ?? Defaults.nodeLifetime
        return spec
    }
}

extension NodePool {
    /// The pool with every default in its place but the version, which is its cluster's.
    public func withDefaults() -> NodePool {
        var pool = self
        var spec = self.spec ?? NodePoolSpec()
        spec.replicas = spec.replicas ?? 0
        // A pool of machines that all exist has none to spare unless its owner says so.
        spec.upgrade = UpgradeSpec(
            type: spec.upgrade?.type ?? "Replace", maxSurge: spec.upgrade?.maxSurge ?? 0, maxUnavailable: spec.upgrade?.maxUnavailable ?? 1,
            paused: spec.upgrade?.paused ?? false, readyTimeout: spec.upgrade?.readyTimeout ?? Defaults.readyTimeout)
        spec.drainTimeout = spec.drainTimeout ?? Defaults.drainTimeout
        spec.autoRepair = AutoRepairSpec(
            enabled: spec.autoRepair?.enabled ?? false, unhealthyTimeout: spec.autoRepair?.unhealthyTimeout ?? Defaults.unhealthyTimeout,
            maxConcurrent: spec.autoRepair?.maxConcurrent ?? 1, maxUnhealthy: spec.autoRepair?.maxUnhealthy ?? "40%")
        pool.spec = spec
        return pool
    }
}

extension Machine {
    /// The Machine with every default in its place.
    public func withDefaults() -> Machine {
        var machine = self
        var spec = self.spec ?? MachineSpec()
        spec.port = spec.port ?? 22
        spec.user = spec.user ?? "root"
        spec.reuse = spec.reuse ?? .sameTenant
        spec.joinMethod = spec.joinMethod ?? .ssh
        if spec.joinMethod == .command { spec.architecture = spec.architecture ?? "amd64" }
        if var jumpHost = spec.jumpHost {
            jumpHost.port = jumpHost.port ?? 22
            jumpHost.user = jumpHost.user ?? "root"
            jumpHost.sshKeySecret = jumpHost.sshKeySecret ?? spec.sshKeySecret
            spec.jumpHost = jumpHost
        }
        machine.spec = spec
        return machine
    }
}
