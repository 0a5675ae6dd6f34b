import KubernetesVersions

/// The images of a release, made of its binaries.
struct KubernetesImages: Sendable {
    let version: KubernetesVersion
    let architecture: Architecture
    /// The folder with `bin` in it; images go to `images` beside it.
    let folder: String

    /// What kube-proxy calls comes from Debian's packages; the others need none of them.
    func build(_ image: KubernetesImage, sysroot: Sysroot) async throws {
        var builder = ImageBuilder(
            reference: "registry.k8s.io/\(image.rawValue):\(version)", architecture: architecture,
            entrypoint: ["/usr/local/bin/\(image.rawValue)"])
        builder.files = BaseFiles.standard
        builder.files += try await offPool { try BaseFiles.certificates(from: sysroot) }
        if image == .kubeProxy { builder.files += try await PacketFilterFiles(sysroot: sysroot).files() }
        builder.files.append(.executable("/usr/local/bin/\(image.rawValue)", copyOf: "\(folder)/bin/\(image.rawValue)"))
        _ = try await builder.write(to: "\(folder)/images/\(image.rawValue).tar")
    }

    func buildAll(sysroot: Sysroot, progress: ArtifactProgress) async throws {
        let folder = self.folder
        try await offPool { try FileSystem.createFolder("\(folder)/images") }
        for image in KubernetesImage.allCases {
            progress("making the image registry.k8s.io/\(image.rawValue):\(version)")
            try await build(image, sysroot: sysroot)
        }
    }

    /// Of an etcd that came along with the release: a static program.
    func buildEtcd(progress: ArtifactProgress) async throws {
        let (program, image) = ("\(folder)/bin/etcd", "\(folder)/images/etcd.tar")
        guard try await offPool({ FileSystem.exists(program) && !FileSystem.exists(image) }) else { return }
        let folder = self.folder
        try await offPool { try FileSystem.createFolder("\(folder)/images") }
        let reference = KubernetesArtifacts.etcdReference(version)
        progress("making the image \(reference)")
        let builder = ImageBuilder(
            reference: reference, architecture: architecture, entrypoint: ["/usr/local/bin/etcd"],
            files: BaseFiles.standard + [.executable("/usr/local/bin/etcd", copyOf: program)])
        _ = try await builder.write(to: image)
    }
}

/// iptables, conntrack and a shell for images whose program sets up a node's packet filter.
struct PacketFilterFiles: Sendable {
    let sysroot: Sysroot

    /// The names that iptables' one program answers to.
    static let commands = ["iptables", "ip6tables"].flatMap { [$0, "\($0)-save", "\($0)-restore"] }

    func files() async throws -> [ImageFile] {
        let sysroot = self.sysroot
        let names = ["/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi", "/usr/sbin/conntrack", "/usr/sbin/ethtool"]
        let programs = try names.map { (place: $0, source: try sysroot.file($0)) }
        let modules = try await offPool { try sysroot.files(below: "/usr/lib/\(sysroot.architecture.multiarchFolder)/xtables") }
        let libraries = try await LibraryClosure.ofPrograms(programs.map(\.source) + modules.map(\.source), in: sysroot)
        var files = programs.map { ImageFile.executable($0.place, copyOf: $0.source) }
        files += modules.map { ImageFile($0.place, .copy(of: $0.source)) }
        files += libraries.map { .executable($0.imagePath(sysroot.architecture), copyOf: $0.path) }
        for command in Self.commands {
            files.append(ImageFile("/usr/sbin/\(command)", .symbolicLink(to: "xtables-nft-multi")))
            let legacy = command.replacingFirst("tables", with: "tables-legacy")
            files.append(ImageFile("/usr/sbin/\(legacy)", .symbolicLink(to: "xtables-legacy-multi")))
        }
        files += try BusyboxFiles(sysroot: sysroot).files(["sh", "cat", "ls", "grep", "ip", "sleep", "uname"])
        return files
    }
}

extension String {
    func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return replacingCharacters(range, other)
    }

    private func replacingCharacters(_ range: Range<Index>, _ other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
