import ControlPlane
import KubernetesAPI
import KubernetesVersions
import NestboxAPI

/// Which etcd runs beside which Kubernetes. Pure.
enum EtcdImageChoice {
    /// Whether the image changes to a newer etcd of the same name. Data that a newer one has opened an older one does not: so one that is
    /// asked for by a version that is gone back to is not gone back to.
    static func isStep(from present: String, to wanted: String) -> Bool {
        guard let (name, old) = parts(present), let (other, new) = parts(wanted), name == other else { return present != wanted }
        return old < new
    }

    /// The tag to run: the wanted one, but never one that is older than what runs.
    static func tag(present: String?, wanted: String) -> String {
        guard let present, let old = ProgramVersion(present), let new = ProgramVersion(wanted), new < old else { return wanted }
        return present
    }

    /// The tag of the newest; nil where none names a version.
    static func newest(of tags: [String]) -> String? {
        let versions = tags.compactMap { tag in ProgramVersion(tag).map { (tag, $0) } }
        return versions.max { $0.1 < $1.1 }?.0
    }

    private static func parts(_ image: String) -> (name: Substring, version: ProgramVersion)? {
        guard let colon = image.lastIndex(of: ":"), let version = ProgramVersion(image[image.index(after: colon)...]) else { return nil }
        return (image[..<colon], version)
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
    /// While something is rolled out: API servers that are new start beside an etcd that is theirs, and not while it restarts.
    mutating func etcdIsRolledOut(_ input: ControlPlaneInput, _ sight: ControlPlaneSight) -> Bool {
        guard input.settings.externalEtcd == nil, status.version != nil, status.latestVersion?.state == .partial else { return true }
        let set = sight.statefulSet
        guard set?.isRolledOut != true else { return true }
        let trouble = sight.trouble(of: NestboxName.etcdStatefulSet)
        self.set(
            "Progressing", true, reason: "Upgrading",
            message: "etcd first (\(ControlPlane.etcdImage(input))): \(set?.status?.updatedReplicas ?? 0) of "
                + "\(set?.spec?.replicas ?? 1) members are new, \(set?.status?.readyReplicas ?? 0) serve"
                + (trouble.map { "; \($0)" } ?? ""))
        return false
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
    fileprivate var etcdTag: String? {
        guard let image = containers?.first(where: { $0.name == "etcd" })?.image, let colon = image.lastIndex(of: ":") else { return nil }
        return String(image[image.index(after: colon)...])
    }
}

extension Pod {
    /// Whether its process ran at some time.
    fileprivate var hasStartedEtcd: Bool {
        guard let container = status?.containerStatuses?.first(where: { $0.name == "etcd" }) else { return false }
        return container.state?.running != nil || container.state?.terminated != nil || container.lastState?.terminated != nil
    }
}
