import KubernetesVersions

/// One thing in the store, as a list shows it.
public struct InstalledItem: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case kubernetes
        case etcd
        case nodeTools = "node-tools"
        case images
    }

    public var kind: Kind
    /// A version, a recipe or an image's name.
    public var name: String
    public var architecture: Architecture
    public var directory: String
    /// Bytes of all its files.
    public var size: Int
    public var origin: String
}

extension ArtifactStore {
    /// Everything that is in the store, by kind and name.
    public func list() async throws -> [InstalledItem] {
        let root = self.root
        return try await offPool {
            var items: [InstalledItem] = []
            for kind in InstalledItem.Kind.allCases {
                for name in FileSystem.names(in: "\(root)/\(kind.rawValue)") where !name.hasPrefix(".") {
                    for architecture in Architecture.allCases {
                        let directory = "\(root)/\(kind.rawValue)/\(name)/\(architecture.rawValue)"
                        guard let contents = try InstalledFiles(reading: directory) else { continue }
                        items.append(
                            InstalledItem(
                                kind: kind, name: name, architecture: architecture, directory: directory,
                                size: contents.sizes.values.reduce(0, +), origin: contents.note("ORIGIN")))
                    }
                }
            }
            return items
        }
    }

    /// The files of an item whose bytes are not what its checksums say.
    public func damagedFiles(of item: InstalledItem) async throws -> [String] {
        try await offPool {
            guard let contents = try InstalledFiles(reading: item.directory) else { return [item.directory] }
            return try contents.damaged().map { "\(item.directory)/\($0)" }
        }
    }

    /// Removes a release.
    public func removeKubernetes(_ version: KubernetesVersion, architecture: Architecture = .current) async throws {
        let place = layout.kubernetes(version, architecture)
        try await StoreLock.holding("kubernetes-\(version)-\(architecture.rawValue)", layout: layout, progress: { _ in }) {
            try await offPool {
                guard FileSystem.exists(place) else {
                    throw ArtifactError(.invalidInput, "Kubernetes \(version) for \(architecture.rawValue) is not in the store")
                }
                try Staging.remove(place)
            }
        }
    }

    /// Removes what is kept only to make the next build quick.
    public func removeBuildCache() async throws {
        let build = layout.build
        try await StoreLock.holding("kubernetes-build", layout: layout, progress: { _ in }) {
            try await offPool { try FileSystem.remove(build) }
        }
    }

    /// Copies items into a folder that any HTTP server can serve, in the layout of the store.
    /// - Parameter versions: nil for every release in the store.
    public func export(
        to folder: String, versions: [KubernetesVersion]?, progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> [InstalledItem] {
        let all = try await list()
        for version in versions ?? [] where !all.contains(where: { $0.kind == .kubernetes && $0.name == "\(version)" }) {
            throw ArtifactError(.invalidInput, "Kubernetes \(version) is not in the store; first: nestbox artifacts get \(version)")
        }
        let wanted = all.filter { item in
            item.kind != .kubernetes || versions.map { $0.contains { "\($0)" == item.name } } ?? true
        }
        for item in wanted {
            let place = "\(folder)/\(item.kind.rawValue)/\(item.name)/\(item.architecture.rawValue)"
            let upToDate = try await offPool {
                try InstalledFiles(reading: place)?.checksums == InstalledFiles(reading: item.directory)?.checksums
            }
            if upToDate { continue }
            progress("copying \(item.kind.rawValue) \(item.name)")
            try await Staging.install(at: place) { partial in try await offPool { try Self.copy(item, to: partial) } }
        }
        try await offPool {
            let index = "\(folder)/\(MirrorFolder.indexFile)"
            let before = FileSystem.exists(index) ? try FileSystem.text(index).split(whereSeparator: \.isNewline).map(String.init) : []
            let now = wanted.map { MirrorFolder.Item(kind: $0.kind, name: $0.name, architecture: $0.architecture).line }
            try FileSystem.write(Set(before + now).sorted().map { $0 + "\n" }.joined(), to: index)
        }
        return wanted
    }

    private static func copy(_ item: InstalledItem, to folder: String) throws {
        guard let contents = try InstalledFiles(reading: item.directory) else { return }
        for path in contents.sizes.keys.sorted() {
            let destination = "\(folder)/\(path)"
            try FileSystem.createFolder(FileSystem.parent(of: destination))
            let executable = FileSystem.isExecutable("\(item.directory)/\(path)")
            try FileSystem.copy("\(item.directory)/\(path)", to: destination, mode: executable ? 0o755 : 0o644)
        }
    }
}
