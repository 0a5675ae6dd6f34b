/// `nestbox-node`, which runs on every worker machine: the one artifact that is Nestbox's own.
extension ArtifactStore {
    /// Puts this build's binary into the store, in place of another's.
    @discardableResult
    public func importNestboxNode(from path: String, architecture: Architecture = .current) async throws -> Artifact {
        let place = layout.nestboxNode(architecture)
        try await StoreLock.holding("nestbox-node-\(architecture.rawValue)", layout: layout, progress: { _ in }) {
            try await Staging.install(at: place) { folder in
                try await offPool { try FileSystem.copy(path, to: "\(folder)/nestbox-node", mode: 0o755) }
            }
        }
        return try await nestboxNode(architecture: architecture)
    }

    public func nestboxNode(architecture: Architecture = .current) async throws -> Artifact {
        let place = layout.nestboxNode(architecture)
        guard let contents = try await offPool({ try InstalledFiles(reading: place) }) else {
            throw ArtifactError(.notAvailable, "\(place): nestbox-node for \(architecture.rawValue) is not in the store; import it")
        }
        return contents.artifact("nestbox-node")
    }
}
