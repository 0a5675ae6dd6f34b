/// A `SHA256SUMS` file: what `sha256sum` writes and checks.
struct ChecksumList: Sendable, Equatable {
    static let fileName = "SHA256SUMS"

    /// Lower-case digest by relative path.
    private(set) var digests: [String: String] = [:]

    init(digests: [String: String] = [:]) { self.digests = digests }

    /// Nil where a line is not `<64 hexadecimal digits>  <relative path>`, or a path leaves its folder.
    init?(parsing text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
            guard parts.count == 2, let digest = Self.digest(parts[0]) else { return nil }
            var path = parts[1].drop { $0 == " " }
            if path.hasPrefix("*") { path = path.dropFirst() }
            let components = path.split(separator: "/", omittingEmptySubsequences: false)
            guard !components.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else { return nil }
            digests[String(path)] = digest
        }
    }

    /// The digest that a `.sha256` file holds: alone, or followed by a file's name.
    static func digest(_ text: some StringProtocol) -> String? {
        guard let word = text.split(whereSeparator: \.isWhitespace).first, word.utf8.count == 64, word.allSatisfy(\.isHexDigit) else {
            return nil
        }
        return word.lowercased()
    }

    /// Sorted by path, so that the same files make the same text.
    var text: String { digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }.joined() }

    /// Of every file below a folder but the list itself and what stands in `skipping`.
    static func of(folder: String, skipping: Set<String> = []) throws -> ChecksumList {
        var digests: [String: String] = [:]
        for path in FileSystem.filesBelow(folder) where path != fileName && !skipping.contains(path) {
            digests[path] = try FileSystem.digest("\(folder)/\(path)")
        }
        return ChecksumList(digests: digests)
    }
}
