import KubernetesVersions

/// Where a release's binaries can come from.
protocol KubernetesSource: Sendable {
    /// In words, for errors and progress.
    var name: String { get }

    /// Fills `folder/bin` (and `folder/images`, where the source has them) and says where it came from.
    /// Throws an `ArtifactError` of kind `notAvailable` or `missingTools` where another source may be asked instead.
    func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, into folder: String, progress: @escaping ArtifactProgress
    ) async throws -> String
}

/// Debian's source package, built here.
struct DebianSource: KubernetesSource {
    let layout: StoreLayout
    var name: String { "Debian's source package" }

    func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, into folder: String, progress: @escaping ArtifactProgress
    ) async throws -> String {
        let log = layout.log("kubernetes-\(version)-\(architecture.rawValue)")
        return try await DebianKubernetes(layout: layout, architecture: architecture, log: log)
            .build(version, stamp: version, into: folder, progress: progress)
    }
}

/// A source asked for by name only, for tests of upgrades: another version's source that reports this version.
struct StampSource: KubernetesSource {
    let layout: StoreLayout
    let base: KubernetesVersion
    var name: String { "Debian's source of \(base), stamped" }

    func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, into folder: String, progress: @escaping ArtifactProgress
    ) async throws -> String {
        let log = layout.log("kubernetes-\(version)-\(architecture.rawValue)")
        return try await DebianKubernetes(layout: layout, architecture: architecture, log: log)
            .build(base, stamp: version, into: folder, progress: progress)
    }
}

/// A folder of binaries that the user names.
struct FolderSource: KubernetesSource {
    let folder: String
    var name: String { "the folder \(folder)" }

    func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, into destination: String, progress: @escaping ArtifactProgress
    ) async throws -> String {
        try await offPool { try FileSystem.createFolder("\(destination)/bin") }
        for binary in KubernetesBinary.allCases {
            let source = "\(folder)/\(binary.rawValue)"
            guard try await offPool({ FileSystem.exists(source) }) else {
                if binary.isOptional { continue }
                throw ArtifactError(
                    .invalidInput,
                    "\(folder): has no \(binary.rawValue); it must hold \(KubernetesBinary.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            progress("checking \(source)")
            let copy = "\(destination)/bin/\(binary.rawValue)"
            try await offPool { try FileSystem.copy(source, to: copy, mode: 0o755) }
            try await BinaryCheck.check(copy, named: source, is: binary, of: version, architecture)
        }
        try await provideEtcd(version, architecture, into: destination, progress: progress)
        return "imported from \(folder)"
    }

    /// An etcd beside the release is taken along, for where no registry has the one that the release asks for.
    private func provideEtcd(
        _ version: KubernetesVersion, _ architecture: Architecture, into destination: String, progress: @escaping ArtifactProgress
    ) async throws {
        let source = "\(folder)/etcd"
        guard try await offPool({ FileSystem.exists(source) }) else { return }
        let header = try await offPool { try ELFHeader(reading: source) }
        guard header.machine == architecture.elfMachine, !header.isDynamic else {
            progress("leaving \(source) out: it is not a static program for \(architecture.rawValue)")
            return
        }
        progress("taking \(source) along as \(KubernetesArtifacts.etcdReference(version))")
        try await offPool { try FileSystem.copy(source, to: "\(destination)/bin/etcd", mode: 0o755) }
        guard architecture == .current else { return }
        let said = try await Command.output("\(destination)/bin/etcd", ["--version"], purpose: "asking \(source) for its version")
        guard said.hasPrefix("etcd Version: ") else {
            throw ArtifactError(.invalidInput, "\(source): asked for its version, it says \"\(Command.lastLines(said, 1).prefix(200))\"")
        }
    }
}

/// Whether a program is what it is said to be.
enum BinaryCheck {
    /// Asks the program itself, where this computer can run it.
    static func check(
        _ path: String, named source: String, is binary: KubernetesBinary, of version: KubernetesVersion, _ architecture: Architecture
    ) async throws {
        let machine = try await offPool { try ELFHeader(reading: path).machine }
        guard machine == architecture.elfMachine else {
            throw ArtifactError(.invalidInput, "\(source): built for another architecture than \(architecture.rawValue)")
        }
        guard architecture == .current else { return }
        let output: String
        do {
            output = try await Command.output(path, binary.versionArguments, purpose: "asking \(source) for its version")
        } catch let error as ArtifactError {
            throw ArtifactError(.invalidInput, error.message)
        }
        guard let reported = reportedVersion(output) else {
            throw ArtifactError(.invalidInput, "\(source): asked for its version, it says \"\(Command.lastLines(output, 1).prefix(200))\"")
        }
        guard reported == version else {
            throw ArtifactError(.invalidInput, "\(source): reports \(reported), and \(version) was asked for")
        }
    }

    /// The first `v1.20.2` in what a program prints: `Kubernetes v1.20.2`, `v1.20.2`, `Client Version: version.Info{..."v1.20.2"...}`.
    static func reportedVersion(_ output: String) -> KubernetesVersion? {
        for word in output.split(whereSeparator: { $0.isWhitespace || "\",:{}".contains($0) }) where word.hasPrefix("v") {
            if let version = KubernetesVersion(word) { return version }
        }
        return nil
    }
}
