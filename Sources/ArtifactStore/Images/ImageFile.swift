/// One file of an image.
public struct ImageFile: Sendable {
    public enum Content: Sendable {
        /// A copy of a file on this computer.
        case copy(of: String)
        case text(String)
        case directory
        case symbolicLink(to: String)
    }

    /// Absolute, in the image.
    public var path: String
    public var mode: UInt16
    public var content: Content

    public init(_ path: String, _ content: Content, mode: UInt16? = nil) {
        self.path = path
        self.content = content
        self.mode =
            mode
            ?? {
                switch content {
                case .directory: 0o755
                case .symbolicLink: 0o777
                case .text, .copy: 0o644
                }
            }()
    }

    /// A copy of a file on this computer that can be run.
    public static func executable(_ path: String, copyOf source: String) -> ImageFile {
        ImageFile(path, .copy(of: source), mode: 0o755)
    }

    /// The entries of a layer: sorted, each path once (the last word wins), every parent folder before what it holds.
    static func entries(of files: [ImageFile]) throws -> [TarEntry] {
        var entries: [String: TarEntry] = [:]
        for file in files {
            let path = file.path.split(separator: "/").joined(separator: "/")
            let parts = path.split(separator: "/")
            for depth in 1..<max(1, parts.count) {
                let parent = parts.prefix(depth).joined(separator: "/")
                if entries[parent] == nil { entries[parent] = TarEntry(path: parent, mode: 0o755, content: .directory) }
            }
            entries[path] = TarEntry(path: path, mode: file.mode, content: try file.tarContent())
        }
        return entries.values.sorted { $0.path < $1.path }
    }

    private func tarContent() throws -> TarEntry.Content {
        switch content {
        case .directory: return .directory
        case .symbolicLink(let target): return .symbolicLink(target)
        case .text(let text): return .data(Array(text.utf8))
        case .copy(let source):
            guard let size = FileSystem.size(source) else {
                throw ArtifactError(.storage, "\(source): not there, and wanted as \(path) in an image")
            }
            return .file(path: source, size: size)
        }
    }
}
