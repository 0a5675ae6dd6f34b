/// What is mounted where: `/proc/self/mountinfo`.
struct MountTable: Sendable {
    struct Mount: Equatable, Sendable {
        var place: String
        var fileSystem: String
    }

    let mounts: [Mount]

    init(_ mountinfo: String) {
        mounts = mountinfo.split(whereSeparator: \.isNewline).compactMap { line in
            let fields = line.split(separator: " ")
            // Optional fields end with a hyphen; the type stands behind it.
            guard fields.count > 6, let hyphen = fields.dropFirst(6).firstIndex(of: "-"), hyphen + 1 < fields.count else { return nil }
            return Mount(place: Self.unescaped(fields[4]), fileSystem: String(fields[hyphen + 1]))
        }
    }

    /// Spaces are written as `\040`.
    private static func unescaped(_ place: Substring) -> String {
        place.split(separator: "\\040", omittingEmptySubsequences: false).joined(separator: " ")
    }

    /// Mount points at a folder or in it, in the order in which they were made.
    func places(below folder: String) -> [String] { mounts.map(\.place).filter { Self.holds(folder, $0) } }

    /// The type of the file system on which a path lies.
    func fileSystem(of path: String) -> String? {
        mounts.filter { Self.holds($0.place, path) }.max { $0.place.utf8.count < $1.place.utf8.count }?.fileSystem
    }

    private static func holds(_ folder: String, _ path: String) -> Bool {
        folder == "/" || path == folder || path.hasPrefix("\(folder)/")
    }
}
