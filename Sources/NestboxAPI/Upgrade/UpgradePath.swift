import KubernetesVersions

/// What a control plane may become from where it is. Pure: the CLI asks before it sends, the operator always.
public struct UpgradePath: Sendable, Equatable {
    /// What is rolled out now, or was last.
    public var accepted: PinnedVersion
    /// What serves from every replica; nil before the first has served.
    public var serving: PinnedVersion?
    /// Whether a replica of what was accepted has served: before, nothing was done that could not be taken back.
    public var hasServed: Bool

    public init(accepted: PinnedVersion, status: HostedClusterStatus?) {
        self.accepted = accepted
        serving = status?.completedVersion?.pinned ?? status?.version.map { PinnedVersion($0, release: accepted.release) }
        let entry = status?.latestVersion
        // Of what the history does not know, the worst is believed.
        hasServed = entry?.pinned == accepted ? entry?.hasServed == true : true
    }

    /// Whether that target is what served before, and nothing has served since.
    public func isWayBack(to target: PinnedVersion) -> Bool { !hasServed && target == serving && target != accepted }

    /// Why it may not become that, in a sentence; nil when it may. Checks of the cluster as it is come on top.
    public func refusal(of target: PinnedVersion) -> FieldError? {
        // What has never served binds nobody.
        let base = hasServed ? accepted : serving ?? accepted
        let refusal = base.version.refusal(ofUpgradeTo: target.version) ?? serving?.version.refusal(ofUpgradeTo: target.version)
        if let refusal { return FieldError("spec.version", refusal) }
        if let old = TemplateRevision(release: base.release), let new = TemplateRevision(release: target.release), new < old {
            return FieldError("spec.release", "\(target.release) is older than \(base.release), and a control plane cannot go back")
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
