import KubernetesVersions

extension ArtifactStore {
    /// Debian 12's source holds this release.
    static let debianVersion = KubernetesVersion(1, 20, 2)
    /// What a cluster gets whose spec names no version, where the official release can be had.
    static let currentVersion = KubernetesVersion(1, 36, 2)

    /// The newest release that a source can give: what a cluster gets whose spec names none.
    public func defaultVersion() async throws -> KubernetesVersion {
        let installed = try await list()
            .filter { $0.kind == .kubernetes && $0.architecture == .current && !$0.origin.contains("stamped") }
            .compactMap { KubernetesVersion($0.name) }
        if installed.contains(Self.currentVersion) { return Self.currentVersion }
        if !settings.offline, await officialSource.has(Self.currentVersion, .current) { return Self.currentVersion }
        return max(installed.max() ?? Self.debianVersion, Self.debianVersion)
    }
}
