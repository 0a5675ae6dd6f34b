import KubernetesVersions

/// What a control plane may become from where it is. Pure: the CLI asks before it sends, the operator always.
public struct UpgradePath: Sendable, Equatable {
    /// What is rolled out now, or was last.
    public var accepted: PinnedVersion
    /// What serves from every replica; nil before the first has served.
    public var serving: PinnedVersion?
    /// The newest of which a replica has served: what came after it did nothing that could not be taken back.
    public var served: PinnedVersion

    public init(accepted: PinnedVersion, status: HostedClusterStatus?) {
        self.accepted = accepted
        serving = status?.completedVersion?.pinned ?? status?.version.map { PinnedVersion($0, release: accepted.release) }
        // Of what the history does not know, the worst is believed.
        let isKnown = status?.latestVersion?.pinned == accepted
        served = isKnown ? status?.servedVersion?.pinned ?? serving ?? accepted : accepted
    }

    /// Whether that target is what served before, and nothing has served since.
    public func isWayBack(to target: PinnedVersion) -> Bool { target == serving && target == served && target != accepted }

    /// Why it may not become that, in a sentence; nil when it may. Checks of the cluster as it is come on top.
    public func refusal(of target: PinnedVersion) -> FieldError? {
        // What has never served binds nobody.
        let refusal = served.version.refusal(ofUpgradeTo: target.version) ?? serving?.version.refusal(ofUpgradeTo: target.version)
        if let refusal { return FieldError("spec.version", refusal) }
        if let old = TemplateRevision(release: served.release), let new = TemplateRevision(release: target.release), new < old {
            return FieldError("spec.release", "\(target.release) is older than \(served.release), and a control plane cannot go back")
        }
        return nil
    }
}

extension HostedCluster {
    /// From where it is, by what its status says; nil while it has no version.
    public var upgradePath: UpgradePath? {
        guard let accepted = status?.latestVersion?.pinned ?? spec?.pinned else { return nil }
        return UpgradePath(accepted: accepted, status: status)
    }
}
