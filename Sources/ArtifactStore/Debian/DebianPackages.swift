/// Brings the Debian packages that node tools and images are made of, unpacked, into the store.
struct DebianPackages: Sendable {
    let layout: StoreLayout
    let architecture: Architecture

    static let wanted = [
        "etcd-server", "etcd-client", "containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "socat", "ethtool",
        "busybox-static", "ca-certificates",
    ]

    /// Changes when the list above or what is made of it does.
    static let revision = "1"
    private static let packagesFile = "PACKAGES"

    /// `debian12-1`
    static func recipe(_ release: DebianRelease) -> String { "debian\(release.version)-\(revision)" }

    /// The unpacked packages, brought if they are not there.
    func sysroot(progress: @escaping ArtifactProgress) async throws -> Sysroot {
        let release = try await offPool { try DebianRelease.ofThisComputer() }
        guard architecture == .current else {
            throw ArtifactError(
                .notAvailable,
                "Debian's packages are unpacked for this computer's \(Architecture.current.rawValue), not \(architecture.rawValue)")
        }
        let place = layout.sysroot(Self.recipe(release), architecture)
        if let there = try await offPool({ try read(place) }) { return there }
        return try await StoreLock.holding("debian", layout: layout, progress: progress) {
            if let there = try await offPool({ try read(place) }) { return there }
            try BuildTools.require(BuildTools.packages)
            try await Staging.install(
                at: place, checksums: { try ChecksumList(digests: [Self.packagesFile: FileSystem.digest("\($0)/\(Self.packagesFile)")]) }
            ) {
                try await unpack(release, into: $0, progress: progress)
            }
            guard let sysroot = try await offPool({ try read(place) }) else {
                throw ArtifactError(.storage, "\(place): made, and not there")
            }
            return sysroot
        }
    }

    private func unpack(_ release: DebianRelease, into folder: String, progress: ArtifactProgress) async throws {
        let apt = PrivateApt(folder: layout.apt, log: layout.log("debian-packages"), architecture: architecture)
        try await apt.prepare(release, progress: progress)
        progress("downloading etcd, containerd, runc, CNI plugins, iptables and their libraries from Debian")
        let archives = try await apt.download(Self.wanted)
        progress("unpacking \(archives.count) Debian packages")
        let command = Command(log: apt.log)
        var versions: [String] = []
        for archive in archives {
            try await command.run("dpkg-deb", ["--extract", archive, "\(folder)/root"], purpose: "unpacking \(archive)")
            versions.append(
                try await Command.output(
                    "dpkg-deb", ["--show", "--showformat=${Package} ${Version}\\n", archive], purpose: "reading \(archive)"))
        }
        let list = versions.sorted().joined()
        try await offPool {
            for unused in ["doc", "man", "locale", "info", "lintian", "bash-completion", "zsh"] {
                try FileSystem.remove("\(folder)/root/usr/share/\(unused)")
            }
            try FileSystem.write(list, to: "\(folder)/\(Self.packagesFile)")
            for archive in archives { try FileSystem.remove(archive) }
        }
    }

    private func read(_ place: String) throws -> Sysroot? {
        guard FileSystem.exists("\(place)/\(ChecksumList.fileName)") else { return nil }
        return Sysroot(
            root: "\(place)/root", architecture: architecture, packages: Self.versions(try FileSystem.text("\(place)/\(Self.packagesFile)"))
        )
    }

    /// Reads lines of package and version.
    static func versions(_ text: String) -> [String: String] {
        var versions: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            if words.count == 2 { versions[String(words[0])] = String(words[1]) }
        }
        return versions
    }

    /// `3.4.23` of `3.4.23-4+b4`, `1.6.20` of `1.6.20~ds1-1+deb12u3`, `1.4.7` of `1:1.4.7-1`.
    static func upstreamVersion(_ version: some StringProtocol) -> String {
        var text = Substring(version)
        if let colon = text.firstIndex(of: ":") { text = text[text.index(after: colon)...] }
        if let dash = text.lastIndex(of: "-") { text = text[..<dash] }
        if let really = text.firstRange(of: "+really") { text = text[really.upperBound...] }
        return String(text.prefix { $0.isNumber || $0 == "." })
    }
}
