import KubernetesAPI
import KubernetesVersions

extension NodePool {
    /// Everything that is wrong with it as it stands, the defaults in their places; empty when it can be looked after.
    public func validate() -> [FieldError] {
        let spec = withDefaults().spec ?? NodePoolSpec()
        var errors = FieldErrors()
        errors.require(name, is: .dnsLabel, at: "metadata.name")
        errors.require(namespace, is: .dnsLabel, at: "metadata.namespace")
        errors.require(spec.clusterName != nil, "spec.clusterName", "is needed: the HostedCluster of the same namespace")
        errors.require(spec.clusterName, is: .dnsLabel, at: "spec.clusterName")
        errors.requireCount(spec.replicas, at: "spec.replicas")
        errors.checkVersion(spec.version, at: "spec.version")
        errors.require(spec.upgrade?.type, isOneOf: ["Replace", "InPlace"], at: "spec.upgrade.type")
        errors.requireCount(spec.upgrade?.maxSurge, at: "spec.upgrade.maxSurge")
        errors.requireCount(spec.upgrade?.maxUnavailable, at: "spec.upgrade.maxUnavailable")
        errors.require(
            spec.upgrade?.maxSurge != 0 || spec.upgrade?.maxUnavailable != 0, "spec.upgrade.maxUnavailable",
            "is 0, and so is maxSurge: no node could ever be upgraded")
        errors.requireDuration(spec.upgrade?.readyTimeout, atLeast: 30, at: "spec.upgrade.readyTimeout")
        errors.requireDuration(spec.drainTimeout, atLeast: 0, at: "spec.drainTimeout")
        errors.checkNodeLabels(spec.labels, at: "spec.labels")
        errors.checkTaints(spec.taints, at: "spec.taints")
        errors.requireDuration(spec.autoRepair?.unhealthyTimeout, atLeast: 60, at: "spec.autoRepair.unhealthyTimeout")
        errors.requireCount(spec.autoRepair?.maxConcurrent, at: "spec.autoRepair.maxConcurrent")
        if let limit = spec.autoRepair?.maxUnhealthy {
            errors.require(
                limit.share(of: 1) != nil, "spec.autoRepair.maxUnhealthy",
                "\(limit) is neither a number of nodes nor a percentage such as 40%"
            )
        }
        errors.checkSelector(spec.machineSelector, at: "spec.machineSelector")
        errors.checkNodeConfiguration(spec.nodeConfiguration, at: "spec.nodeConfiguration")
        return errors.list
    }

    /// What may not be changed in this way, from the object as it was to this one.
    public func validateUpdate(from old: NodePool) -> [FieldError] {
        var errors = FieldErrors()
        errors.requireSame(
            old.spec?.clusterName, spec?.clusterName, at: "spec.clusterName", because: "its nodes belong to that cluster; make another pool"
        )
        return errors.list
    }

    /// What is wrong with it beside its cluster: its kubelets' version, which the cluster's API server must take.
    public func validate(in cluster: HostedCluster) -> [FieldError] {
        guard let kubelet = spec?.version else { return [] }
        // While the control plane is upgraded the old one may serve still.
        let servers = [cluster.status?.version, cluster.spec?.version].compactMap { $0 }
        guard let refusal = servers.lazy.compactMap({ $0.refusal(ofKubelet: kubelet) }).first else { return [] }
        return [FieldError("spec.version", refusal)]
    }
}

extension HostedCluster {
    /// The version of kubelets whose pool names none: that of the control plane which serves, for none may be newer.
    public var kubeletVersion: KubernetesVersion? { status?.version ?? spec?.version }
}

extension FieldErrors {
    fileprivate mutating func requireCount(_ count: Int?, at path: String) {
        guard let count else { return }
        require(count >= 0, path, "\(count) is less than 0")
        require(count <= 5000, path, "\(count) is more than the 5000 nodes that Kubernetes is made for")
    }

    fileprivate mutating func requireDuration(_ text: String?, atLeast seconds: Double, at path: String) {
        require(text, is: .duration, at: path)
        guard let duration = text.flatMap(GoDuration.init) else { return }
        require(duration.seconds >= seconds, path, "\(duration) is less than \(GoDuration(seconds: seconds))")
    }
}
