/// A folder of the store that is whole: its checksums, and the sizes its files have.
struct InstalledFiles: Sendable {
    let directory: String
    let checksums: ChecksumList
    let sizes: [String: Int]

    /// Nil where the folder is not there; an error where it is, and is damaged.
    init?(reading directory: String) throws {
        let list = "\(directory)/\(ChecksumList.fileName)"
        guard FileSystem.exists(list) else { return nil }
        let advice = "remove \(directory) and get it again"
        guard let checksums = ChecksumList(parsing: try FileSystem.text(list)) else {
            throw ArtifactError(.storage, "\(list): not a list of checksums; \(advice)")
        }
        var sizes: [String: Int] = [:]
        for path in checksums.digests.keys {
            guard let size = FileSystem.size("\(directory)/\(path)") else {
                throw ArtifactError(.storage, "\(directory)/\(path): listed in \(ChecksumList.fileName) and not there; \(advice)")
            }
            sizes[path] = size
        }
        self.directory = directory
        self.checksums = checksums
        self.sizes = sizes
    }

    func contains(_ path: String) -> Bool { sizes[path] != nil }

    func artifact(_ path: String) -> Artifact {
        Artifact(path: "\(directory)/\(path)", sha256: checksums.digests[path] ?? "", size: sizes[path] ?? 0)
    }

    func image(_ path: String, reference: String) -> ImageArchive {
        let file = artifact(path)
        return ImageArchive(reference: reference, path: file.path, sha256: file.sha256, size: file.size)
    }

    /// A small text file of the folder, such as `ORIGIN`; empty where it is missing.
    func note(_ name: String) -> String {
        ((try? FileSystem.text("\(directory)/\(name)")) ?? "").trimmingWhitespace()
    }

    /// The files whose bytes are not what the list says.
    func damaged() throws -> [String] {
        try checksums.digests.keys.sorted().filter { try FileSystem.digest("\(directory)/\($0)") != checksums.digests[$0] }
    }
}

extension StringProtocol {
    func trimmingWhitespace() -> String {
        let start = drop(while: \.isWhitespace)
        let end = start.lastIndex { !$0.isWhitespace }
        return end.map { String(start[...$0]) } ?? ""
    }
}
