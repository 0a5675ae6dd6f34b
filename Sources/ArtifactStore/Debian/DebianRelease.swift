/// Which Debian this computer runs, from `/etc/os-release`.
struct DebianRelease: Sendable, Equatable {
    /// `12`
    var version: String
    /// `bookworm`
    var codename: String

    /// Nil on anything that is not Debian itself: a derivative's packages are its own.
    init?(osRelease: String) {
        var values: [String: String] = [:]
        for line in osRelease.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            values[String(parts[0])] = parts[1].filter { $0 != "\"" && $0 != "'" }
        }
        guard values["ID"] == "debian", let version = values["VERSION_ID"], let codename = values["VERSION_CODENAME"] else { return nil }
        self.version = version
        self.codename = codename
    }

    static func ofThisComputer() throws -> DebianRelease {
        guard let text = try? FileSystem.text("/etc/os-release"), let release = DebianRelease(osRelease: text) else {
            throw ArtifactError(.notAvailable, "this computer does not run Debian, so there are no Debian packages to use")
        }
        return release
    }
}
