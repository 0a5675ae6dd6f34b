import KubernetesVersions

/// What a person asks the operator about an upgrade before it is begun: an annotation's JSON on a HostedCluster. The newest one counts;
/// the answer is in the status, under the same id. Nothing is done to the cluster.
public struct UpgradeRequest: AnnotationRequest, Equatable {
    /// Its key.
    public static let annotation = "nestbox.dev/upgrade-check"

    /// Made up for each.
    public var id: String
    /// As it is unless given.
    public var version: KubernetesVersion?
    public var release: String?

    public init(id: String, version: KubernetesVersion? = nil, release: String? = nil) {
        self.id = id
        self.version = version
        self.release = release
    }
}

/// What the operator found.
public struct UpgradeAnswer: Codable, Sendable, Equatable {
    /// The request's.
    public var id: String
    public var version: KubernetesVersion
    public var release: String
    public var checks: [UpgradeCheck]
    /// RFC 3339.
    public var answeredAt: String

    public init(id: String, version: KubernetesVersion, release: String, checks: [UpgradeCheck], answeredAt: String) {
        self.id = id
        self.version = version
        self.release = release
        self.checks = checks
        self.answeredAt = answeredAt
    }
}

/// One thing that was looked at before an upgrade.
public struct UpgradeCheck: Codable, Sendable, Equatable {
    /// `Nodes`, `DeprecatedAPIs`.
    public var name: String
    public var result: UpgradeCheckResult
    /// In a sentence.
    public var message: String

    public init(_ name: String, _ result: UpgradeCheckResult, _ message: String) {
        self.name = name
        self.result = result
        self.message = message
    }
}

public enum UpgradeCheckResult: String, Codable, Sendable, CaseIterable {
    case passed = "Passed"
    /// To be known; it keeps from nothing.
    case warning = "Warning"
    /// The upgrade is not begun.
    case failed = "Failed"
}

extension [UpgradeCheck] {
    /// What keeps from the upgrade, in words; nil when nothing does.
    public var refusal: String? { words(of: .failed) }

    public var warning: String? { words(of: .warning) }

    private func words(of result: UpgradeCheckResult) -> String? {
        let found = filter { $0.result == result }
        return found.isEmpty ? nil : found.map(\.message).joined(separator: "; ")
    }
}
