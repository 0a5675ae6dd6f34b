import KubernetesVersions

/// One version and release that a control plane was to become, the newest last.
public struct VersionHistoryEntry: Codable, Sendable, Equatable {
    public var version: KubernetesVersion
    public var release: String?
    public var state: UpgradeState?
    public var startedAt: String
    /// When the first replica of it served: from then on there is no way back.
    public var servedAt: String?
    /// When the last replica was replaced, or when it was taken back.
    public var completedAt: String?

    public init(
        version: KubernetesVersion, release: String? = nil, state: UpgradeState? = nil, startedAt: String, servedAt: String? = nil,
        completedAt: String? = nil
    ) {
        self.version = version
        self.release = release
        self.state = state
        self.startedAt = startedAt
        self.servedAt = servedAt
        self.completedAt = completedAt
    }
}

public enum UpgradeState: String, Codable, Sendable, CaseIterable {
    /// Under way, or stopped.
    case partial = "Partial"
    case completed = "Completed"
    /// Taken back before it served.
    case withdrawn = "Withdrawn"
}

extension HostedClusterStatus {
    /// No more entries are kept.
    public static let longestHistory = 16

    /// Notes what the control plane is built as from now on; the same as before is nothing new.
    public mutating func follow(_ pinned: PinnedVersion, at time: String) {
        guard latestVersion?.pinned != pinned else { return }
        var history = versionHistory ?? []
        if latestVersion?.hasServed == false, completedVersion?.pinned == pinned {
            // With those that were tried before it.
            for index in history.indices where history[index].state == .partial && !history[index].hasServed {
                history[index].state = .withdrawn
                history[index].completedAt = time
            }
        } else {
            history.append(VersionHistoryEntry(version: pinned.version, release: pinned.release, state: .partial, startedAt: time))
        }
        // What serves is known by the last that was completed.
        while history.count > Self.longestHistory {
            let kept = history.lastIndex { $0.state == .completed }
            history.remove(at: history.indices.first { $0 != kept } ?? 0)
        }
        versionHistory = history
    }

    /// A replica of what is being rolled out serves.
    public mutating func noteServed(at time: String) {
        guard let last = latestIndex, versionHistory?[last].servedAt == nil else { return }
        versionHistory?[last].servedAt = time
    }

    /// All replicas are of what was rolled out.
    public mutating func noteCompleted(at time: String) {
        noteServed(at: time)
        guard let last = latestIndex, versionHistory?[last].state != .completed else { return }
        versionHistory?[last].state = .completed
        versionHistory?[last].completedAt = time
    }

    private var latestIndex: Int? { versionHistory?.lastIndex { $0.state != .withdrawn } }
}
