import KubernetesAPI
import KubernetesVersions

extension HostedCluster {
    /// What may not be changed in this way, from the object as it was built to this one; `validate` says what is wrong in itself.
    /// A field that was left out and one that names its default are the same.
    public func validateUpdate(from old: HostedCluster) -> [FieldError] {
        let before = old.withDefaults().spec ?? HostedClusterSpec()
        let after = withDefaults().spec ?? HostedClusterSpec()
        var errors = FieldErrors()
        errors.checkUpgrade(from: before, status: status ?? old.status, to: after)

        if (before.release ?? status?.release ?? old.status?.release) == TemplateRevision.first.release {
            errors.requireSame(
                before.controlPlane?.replicas, after.controlPlane?.replicas, at: "spec.controlPlane.replicas",
                because: "release \(TemplateRevision.first.release) cannot; upgrade it first: "
                    + "nestbox upgrade cluster \(name) --release \(TemplateRevision.newest.release)")
        }
        errors.requireSame(
            before.etcd?.external == nil ? "managed" : "external", after.etcd?.external == nil ? "managed" : "external", at: "spec.etcd",
            because: "the cluster's data would stay behind")
        let volume = "etcd's volume is made with the cluster"
        let hasVolume = before.etcd?.external == nil && after.etcd?.external == nil
        let (oldStorage, newStorage) = hasVolume ? (before.etcd?.storage, after.etcd?.storage) : (nil, nil)
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
    /// One minor release at a time, counted from what was accepted last and from what serves, and back only to what served while nothing
    /// of the new one has. A release that is left out stays what it was.
    fileprivate mutating func checkUpgrade(from old: HostedClusterSpec, status: HostedClusterStatus?, to new: HostedClusterSpec) {
        guard let version = old.version ?? status?.version, let target = new.version else { return }
        let accepted = PinnedVersion(version, release: old.release ?? status?.release ?? TemplateRevision.first.release)
        let path = UpgradePath(accepted: accepted, status: status)
        if let refusal = path.refusal(of: accepted.changed(version: target, release: new.release)) { add([refusal]) }
    }
}
