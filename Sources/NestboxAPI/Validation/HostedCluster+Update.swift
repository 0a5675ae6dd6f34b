import KubernetesAPI
import KubernetesVersions

extension HostedCluster {
    /// What may not be changed in this way, from the object as it was built to this one; `validate` says what is wrong in itself.
    /// A field that was left out and one that names its default are the same.
    public func validateUpdate(from old: HostedCluster) -> [FieldError] {
        let before = old.withDefaults().spec ?? HostedClusterSpec()
        let after = withDefaults().spec ?? HostedClusterSpec()
        var errors = FieldErrors()
        errors.checkUpgrade(from: before.version, serving: status?.version ?? old.status?.version, to: after.version, at: "spec.version")

        if (before.release ?? status?.release ?? old.status?.release) == TemplateRevision.first.release {
            errors.requireSame(
                before.controlPlane?.replicas, after.controlPlane?.replicas, at: "spec.controlPlane.replicas",
                because: "release \(TemplateRevision.first.release) cannot; upgrade it first: nestbox upgrade cluster \(name) --release")
        }
        let volume = "etcd's volume is made with the cluster"
        let (oldStorage, newStorage) = (before.etcd?.storage, after.etcd?.storage)
        errors.requireSame(oldStorage?.size, newStorage?.size, at: "spec.etcd.storage.size", because: volume)
        errors.requireSame(
            oldStorage?.storageClassName, newStorage?.storageClassName, at: "spec.etcd.storage.storageClassName", because: volume)

        let (oldNetwork, newNetwork) = (before.network, after.network)
        let built = "nodes, pods and certificates were made with it"
        errors.requireSame(oldNetwork?.pods, newNetwork?.pods, at: "spec.network.pods", because: built)
        errors.requireSame(oldNetwork?.services, newNetwork?.services, at: "spec.network.services", because: built)
        errors.requireSame(oldNetwork?.dnsDomain, newNetwork?.dnsDomain, at: "spec.network.dnsDomain", because: built)
        errors.requireSame(
            oldNetwork?.nodeLocalAPIAddress, newNetwork?.nodeLocalAPIAddress, at: "spec.network.nodeLocalAPIAddress", because: built)
        errors.requireSame(oldNetwork?.cni, newNetwork?.cni, at: "spec.network.cni", because: "nodes were joined with it")
        return errors.list
    }
}

extension FieldErrors {
    /// One minor release at a time, counted from what was asked for last and from what serves, and never back.
    fileprivate mutating func checkUpgrade(
        from asked: KubernetesVersion?, serving: KubernetesVersion?, to target: KubernetesVersion?, at path: String
    ) {
        guard let target else { return }
        if let refusal = asked?.refusal(ofUpgradeTo: target) ?? serving?.refusal(ofUpgradeTo: target) { add(path, refusal) }
    }
}
