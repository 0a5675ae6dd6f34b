/// Debian's packages unpacked into a folder.
struct Sysroot: Sendable {
    let root: String
    let architecture: Architecture
    /// Versions by package.
    let packages: [String: String]

    /// Where a file of the packages lies here. Debian merged `/bin` into `/usr/bin` and its packages did so one by one,
    /// so both places are looked at; links are followed inside the folder.
    func file(_ path: String) throws -> String {
        let merged = path.hasPrefix("/usr/") ? String(path.dropFirst(4)) : "/usr\(path)"
        for candidate in [path, merged] {
            if let found = follow(candidate, depth: 8) { return found }
        }
        throw ArtifactError(.notAvailable, "\(path) is in none of the Debian packages unpacked at \(root)")
    }

    private func follow(_ path: String, depth: Int) -> String? {
        guard depth > 0 else { return nil }
        let here = root + path
        if let target = FileSystem.linkTarget(here) {
            if target.hasPrefix("/") { return (try? file(target)) ?? nil }
            guard let slash = path.lastIndex(of: "/") else { return nil }
            return follow("\(path[..<slash])/\(target)", depth: depth - 1)
        }
        return FileSystem.exists(here) ? here : nil
    }

    /// Every file below a folder: its place in Debian, and where it lies here.
    func files(below folder: String) throws -> [(place: String, source: String)] {
        FileSystem.filesBelow(root + folder).map { ("\(folder)/\($0)", "\(root)\(folder)/\($0)") }
    }

    var libraryFolders: [String] {
        ["lib", "usr/lib"].map { "\(root)/\($0)/\(architecture.multiarchFolder)" }
    }
}
