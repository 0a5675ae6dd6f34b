import KubernetesVersions

/// What a control plane is built as: Kubernetes' version, and the release of Nestbox that renders it.
public struct PinnedVersion: Sendable, Hashable, CustomStringConvertible {
    public var version: KubernetesVersion
    public var release: String

    public init(_ version: KubernetesVersion, release: String) {
        self.version = version
        self.release = release
    }

    /// The same, but for what is given.
    public func changed(version: KubernetesVersion?, release: String?) -> PinnedVersion {
        PinnedVersion(version ?? self.version, release: release ?? self.release)
    }

    public var description: String { "\(version), release \(release)" }
}

extension HostedClusterSpec {
    /// Nil for one that names no version. One that names no release was written before there was more than one.
    public var pinned: PinnedVersion? {
        version.map { PinnedVersion($0, release: release ?? TemplateRevision.first.release) }
    }
}

extension VersionHistoryEntry {
    public var pinned: PinnedVersion { PinnedVersion(version, release: release ?? TemplateRevision.first.release) }

    /// Whether a replica of it has ever served.
    public var hasServed: Bool { servedAt != nil || state == .completed }
}

extension HostedClusterStatus {
    /// What is being rolled out, or was last.
    public var latestVersion: VersionHistoryEntry? { versionHistory?.last { $0.state != .withdrawn } }

    /// What a replica of has served, last.
    public var servedVersion: VersionHistoryEntry? { versionHistory?.last { $0.state != .withdrawn && $0.hasServed } }

    /// What was rolled out to the last replica, last.
    public var completedVersion: VersionHistoryEntry? { versionHistory?.last { $0.state == .completed } }
}
