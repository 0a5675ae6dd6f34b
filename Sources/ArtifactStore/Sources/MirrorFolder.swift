import KubernetesVersions

/// An HTTP folder that `nestbox artifacts export` wrote: the store's own layout, and a list of what is there.
struct MirrorFolder: Sendable {
    static let indexFile = "INDEX"

    /// Without a slash at the end.
    let url: String
    let layout: StoreLayout
    let downloader: Downloader

    /// One line of the list: `kubernetes v1.20.2 amd64`.
    struct Item: Sendable, Hashable {
        var kind: InstalledItem.Kind
        var name: String
        var architecture: Architecture

        var path: String { "\(kind.rawValue)/\(name)/\(architecture.rawValue)" }
        var line: String { "\(kind.rawValue) \(name) \(architecture.rawValue)" }

        init(kind: InstalledItem.Kind, name: String, architecture: Architecture) {
            self.kind = kind
            self.name = name
            self.architecture = architecture
        }

        /// Nil for a line of a newer Nestbox, and for one whose name would leave its folder.
        init?(line: some StringProtocol) {
            let words = line.split(whereSeparator: { $0 == " " }).map { String($0) }
            guard words.count == 3, let kind = InstalledItem.Kind(rawValue: words[0]), let architecture = Architecture(rawValue: words[2]),
                !words[1].contains("/"), !words[1].hasPrefix(".")
            else { return nil }
            self.init(kind: kind, name: words[1], architecture: architecture)
        }
    }

    func items() async throws -> [Item] {
        try await offPool { try FileSystem.createFolder(layout.downloads) }
        return try await downloader.text("\(url)/\(Self.indexFile)", scratch: "\(layout.downloads)/.index-\(getProcessID())")
            .split(whereSeparator: \.isNewline).compactMap { Item(line: $0) }
    }

    /// Brings every file of an item, each checked against the item's own list.
    func fetch(_ item: Item, into folder: String, progress: @escaping ArtifactProgress) async throws {
        let listing = try await downloader.text("\(url)/\(item.path)/\(ChecksumList.fileName)", scratch: "\(folder)/.sums")
        guard let list = ChecksumList(parsing: listing) else {
            throw ArtifactError(.notAvailable, "\(Downloader.shown(url))/\(item.path)/\(ChecksumList.fileName) is not a list of checksums")
        }
        progress("downloading \(item.kind.rawValue) \(item.name) from \(Downloader.shown(url))")
        for (path, digest) in list.digests.sorted(by: { $0.key < $1.key }) {
            let destination = "\(folder)/\(path)"
            try await offPool { try FileSystem.createFolder(FileSystem.parent(of: destination)) }
            try await downloader.download("\(url)/\(item.path)/\(path)", to: destination, sha256: digest, progress: progress)
            let mode = Self.mode(of: path)
            try await offPool { try FileSystem.move(destination, to: destination, mode: mode) }
        }
    }

    /// HTTP carries no modes: programs are known by the folder they lie in.
    static func mode(of path: String) -> UInt32 {
        let folders = path.split(separator: "/").dropLast()
        return folders.contains { ["bin", "libexec", "cni"].contains($0) } ? 0o755 : 0o644
    }
}

/// A release from such a folder.
struct MirrorSource: KubernetesSource {
    let mirror: MirrorFolder
    var name: String { "the folder at \(Downloader.shown(mirror.url))" }

    func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, into folder: String, progress: @escaping ArtifactProgress
    ) async throws -> String {
        try await mirror.fetch(.init(kind: .kubernetes, name: "\(version)", architecture: architecture), into: folder, progress: progress)
        let theirs = try await offPool { FileSystem.exists("\(folder)/ORIGIN") ? try FileSystem.text("\(folder)/ORIGIN") : "" }
        return theirs.isEmpty ? "from \(Downloader.shown(mirror.url))" : theirs.trimmingWhitespace()
    }
}
