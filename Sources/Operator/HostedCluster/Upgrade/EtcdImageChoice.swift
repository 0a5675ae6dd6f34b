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

    private static func parts(_ image: String) -> (name: Substring, version: ProgramVersion)? {
        guard let colon = image.lastIndex(of: ":"), let version = ProgramVersion(image[image.index(after: colon)...]) else { return nil }
        return (image[..<colon], version)
    }
}

extension ControlPlaneSight {
    /// What etcd's image is tagged, by what the version asks for and by what runs already.
    func etcdImageTag(_ settings: ClusterSettings) -> String {
        let image = statefulSet?.spec?.template?.spec?.containers?.first { $0.name == "etcd" }?.image
        let repository = "\(settings.imageRegistry)/etcd:"
        let present = image.flatMap { $0.hasPrefix(repository) ? String($0.dropFirst(repository.count)) : nil }
        return EtcdImageChoice.tag(present: present, wanted: settings.version.etcdImageTag)
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
    /// Whether all pods are of the newest template, and most of them, which are a quorum, ready.
    var isRolledOut: Bool {
        let wanted = spec?.replicas ?? 1
        guard let status, (status.observedGeneration ?? 0) >= (metadata.generation ?? 0) else { return false }
        return (status.updatedReplicas ?? 0) >= wanted && (status.readyReplicas ?? 0) * 2 > wanted
    }
}
