import ControlPlane
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Which etcd runs beside which Kubernetes. Pure.
enum EtcdImageChoice {
    /// Whether the image changes to a newer etcd of the same name. Data that a newer one has opened an older one does not: so one that is
    /// asked for by a version that is gone back to is not gone back to.
    static func isStep(from present: String, to wanted: String) -> Bool {
        let (old, new) = (EtcdImageReference(present), EtcdImageReference(wanted))
        guard old.repository == new.repository, let before = old.version, let then = new.version else { return present != wanted }
        return before < then
    }

    /// The tag to run: the wanted one, but never one that is older than what has run. Then it is the oldest of ours that is not: the
    /// other's tag may be of somebody else's registry.
    static func tag(present: String?, wanted: String) -> String {
        func version(_ tag: String) -> ProgramVersion? { EtcdImageReference.version(ofTag: tag) }
        guard let present, let old = version(present), let new = version(wanted), new < old else { return wanted }
        let known = KubernetesVersion.supportedMinors.map { KubernetesVersion(1, $0, 0).etcdImageTag }
        return known.first { tag in version(tag).map { $0 >= old } ?? false } ?? present
    }

    /// The tag of the newest; nil where none names a version.
    static func newest(of tags: [String]) -> String? {
        let versions = tags.compactMap { tag in EtcdImageReference.version(ofTag: tag).map { (tag, $0) } }
        return versions.max { $0.1 < $1.1 }?.0
    }
}

extension ControlPlaneSight {
    /// Tag of the newest etcd that has run on this cluster's data, of whatever registry; nil where none has.
    func openedEtcdTag(_ status: HostedClusterStatus) -> String? {
        // Of a cluster from before this was noted what is rolled out is taken for it, though it may never have started.
        let noted = status.etcdImageTag ?? (status.isBootstrapped ? statefulSet?.spec?.template?.spec?.etcdTag : nil)
        let started = pods(of: NestboxName.etcdStatefulSet).filter(\.hasStartedEtcd).compactMap { $0.spec?.etcdTag }
        return EtcdImageChoice.newest(of: started + (noted.map { [$0] } ?? []))
    }
}

extension ClusterReport {
    /// What etcd lacks yet before the rest of an upgrade is begun, in words; nil when nothing: API servers that are new start beside an etcd
    /// that is theirs, and not while it restarts.
    func etcdFirst(_ input: ControlPlaneInput, _ sight: ControlPlaneSight, _ etcd: EtcdFindings) -> String? {
        guard input.settings.externalEtcd == nil, status.version != nil, status.latestVersion?.state == .partial else { return nil }
        let set = sight.statefulSet
        guard set?.isRolledOut != true else { return nil }
        let trouble = sight.trouble(of: NestboxName.etcdStatefulSet) ?? etcd.step
        return "etcd first (\(ControlPlane.etcdImage(input))): \(set?.status?.updatedReplicas ?? 0) of "
            + "\(set?.spec?.replicas ?? 1) members are new, \(set?.status?.readyReplicas ?? 0) serve"
            + (trouble.map { "; \($0)" } ?? "")
    }
}

extension StatefulSet {
    /// On its pods: which of its templates they were made from.
    static let revisionLabel = "controller-revision-hash"

    /// Of its newest template; nil while its controller has not looked at that.
    var newestRevision: String? { presentStatus?.updateRevision }

    /// What its controller says of it as it is now.
    private var presentStatus: StatefulSetStatus? {
        status.flatMap { ($0.observedGeneration ?? 0) >= (metadata.generation ?? 0) ? $0 : nil }
    }

    /// Whether all pods are of the newest template, and most of them, which are a quorum, ready.
    var isRolledOut: Bool {
        let wanted = spec?.replicas ?? 1
        guard let status = presentStatus else { return false }
        return (status.updatedReplicas ?? 0) >= wanted && (status.readyReplicas ?? 0) * 2 > wanted
    }
}

extension PodSpec {
    fileprivate var etcdTag: String? { containers?.first { $0.name == "etcd" }?.image.flatMap { EtcdImageReference($0).tag } }
}

extension Pod {
    /// Whether its process ran at some time.
    fileprivate var hasStartedEtcd: Bool {
        guard let container = status?.containerStatuses?.first(where: { $0.name == "etcd" }) else { return false }
        return container.state?.running != nil || container.state?.terminated != nil || container.lastState?.terminated != nil
    }
}
