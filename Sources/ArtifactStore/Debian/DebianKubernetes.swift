import FoundationEssentials
import KubernetesVersions

/// Builds a Kubernetes release of Debian's source package.
///
/// The package brings its `vendor` whole and wants no network. Three things make it build: it lies in a GOPATH (its module
/// files are refused in module mode), upstream's own `make` generates what kube-apiserver needs, and a vendored library
/// that crashes under newer Go compilers is replaced by Debian's copy of the next version.
struct DebianKubernetes: Sendable {
    let layout: StoreLayout
    let architecture: Architecture
    let log: String

    /// Debian's source version that holds an upstream version.
    static func sourceVersion(of version: KubernetesVersion, among versions: [String]) -> String? {
        versions.first { KubernetesVersion(DebianPackages.upstreamVersion($0)) == version }
    }

    /// Puts the binaries into `folder/bin`.
    /// - Parameter stamp: the version that the binaries are to report, where that is not the source's own.
    /// - Returns: where they came from, in words.
    func build(
        _ version: KubernetesVersion, stamp: KubernetesVersion, into folder: String, progress: @escaping ArtifactProgress
    ) async throws -> String {
        guard architecture == .current else {
            throw ArtifactError(
                .notAvailable, "Debian's source is built for this computer's \(Architecture.current.rawValue), not \(architecture.rawValue)"
            )
        }
        let release = try await offPool { try DebianRelease.ofThisComputer() }
        // First of all: nobody should wait for a download to hear that a tool is missing.
        try await offPool { try BuildTools.require(BuildTools.packages + BuildTools.kubernetes) }
        return try await StoreLock.holding("kubernetes-build", layout: layout, progress: progress) {
            let apt = PrivateApt(folder: layout.apt, log: log, architecture: architecture)
            let source = try await StoreLock.holding("debian", layout: layout, progress: progress) {
                try await apt.prepare(release, progress: progress)
                let versions = try await apt.sourceVersions("kubernetes")
                guard let source = Self.sourceVersion(of: version, among: versions) else {
                    let known = versions.map { DebianPackages.upstreamVersion($0) }.joined(separator: ", ")
                    throw ArtifactError(
                        .notAvailable,
                        "Debian \(release.codename) has no source of Kubernetes \(version) (it has \(known.isEmpty ? "none" : known))")
                }
                return source
            }
            try await unpack(source, apt: apt, progress: progress)
            try await make(stamp, progress: progress)
            try await collect(stamp, into: folder)
            return version == stamp
                ? "built of Debian's source kubernetes \(source)"
                : "Debian's source kubernetes \(source) stamped \(stamp): a stand-in for tests, not that release"
        }
    }

    // The same place every time: Go's cache goes by paths, and makes a second stamp of the same source quick.
    private var gopath: String { "\(layout.build)/gopath" }
    private var tree: String { "\(gopath)/src/k8s.io/kubernetes" }
    /// Where upstream's scripts put Go's cache whatever the environment says, and where it stays between builds.
    private var caches: (used: String, kept: String) { ("\(tree)/_output/local/go/cache", "\(layout.build)/gocache") }

    private func unpack(_ source: String, apt: PrivateApt, progress: ArtifactProgress) async throws {
        let (gopath, tree, caches) = (self.gopath, self.tree, self.caches)
        let download = "\(layout.build)/source"
        try await offPool {
            // What a build that was broken off had compiled already.
            if FileSystem.exists(caches.used), !FileSystem.exists(caches.kept) { try FileSystem.rename(caches.used, to: caches.kept) }
            try FileSystem.remove(gopath)
            try FileSystem.remove(download)
            try FileSystem.createFolder("\(gopath)/src/k8s.io")
            try FileSystem.createFolder(download)
        }
        progress("downloading Debian's source of Kubernetes (\(source))")
        let dsc = try await apt.downloadSource("kubernetes", version: source, into: download)
        progress("unpacking the source")
        try await Command(log: log).run("dpkg-source", ["--no-check", "-x", dsc, tree], purpose: "unpacking the source of Kubernetes")
        let broken = "\(tree)/vendor/github.com/modern-go/reflect2"
        try await offPool {
            try FileSystem.remove(download)
            try FileSystem.remove(broken)
        }
        try await Command(log: log).run("cp", ["-rL", BuildTools.goReflect, broken], purpose: "replacing reflect2")
        try await offPool {
            guard FileSystem.exists(caches.kept) else { return }
            try FileSystem.createFolder(FileSystem.parent(of: caches.used))
            try FileSystem.rename(caches.kept, to: caches.used)
        }
    }

    private func make(_ stamp: KubernetesVersion, progress: @escaping ArtifactProgress) async throws {
        let versionFile = "\(gopath)/version"
        try await offPool { try FileSystem.write(Self.versionFile(stamp), to: versionFile) }
        // The date that binaries are said to be built at is that of the source, so the same source makes the same binaries.
        let date = try await Command.output(
            "dpkg-parsechangelog", ["--file", "\(tree)/debian/changelog", "--show-field", "Timestamp"], purpose: "reading the source's date"
        )
        let command = Command(
            log: log,
            environment: [
                "KUBE_GIT_VERSION_FILE": versionFile, "SOURCE_DATE_EPOCH": date.trimmingWhitespace(), "CGO_ENABLED": "0",
                "GO111MODULE": "off", "GOPATH": gopath, "HOME": gopath, "GOFLAGS": nil, "GOROOT": nil, "GOBIN": nil, "GOTOOLCHAIN": "local",
            ],
            directory: tree)
        let targets = KubernetesBinary.allCases.map { "cmd/\($0.rawValue)" }.joined(separator: " ")
        progress("building Kubernetes \(stamp): about 5 minutes on 2 cores; details in \(log)")
        try await reporting(progress) {
            try await command.run("nice", ["make", "GOLDFLAGS=-s -w", "WHAT=\(targets)"], purpose: "building Kubernetes \(stamp)")
        }
    }

    /// What the binaries say of themselves. A file, because the source of a release knows its own version and would not
    /// take another from the environment.
    static func versionFile(_ version: KubernetesVersion) -> String {
        """
        KUBE_GIT_COMMIT='debian'
        KUBE_GIT_TREE_STATE='clean'
        KUBE_GIT_VERSION='\(version)'
        KUBE_GIT_MAJOR='\(version.major)'
        KUBE_GIT_MINOR='\(version.minor)'

        """
    }

    /// Runs `body` and says every half minute that it still does.
    private func reporting(_ progress: @escaping ArtifactProgress, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let start = ContinuousClock.now
                while true {
                    try await Task.sleep(for: .seconds(30))
                    progress("still building, \((ContinuousClock.now - start).components.seconds) s")
                }
            }
            group.addTask(operation: body)
            // The reporter never ends by itself, so the first to end is the build.
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func collect(_ stamp: KubernetesVersion, into folder: String) async throws {
        try await offPool { try FileSystem.createFolder("\(folder)/bin") }
        for binary in KubernetesBinary.allCases {
            let built = "\(tree)/_output/local/bin/linux/\(architecture.rawValue)/\(binary.rawValue)"
            guard try await offPool({ FileSystem.isExecutable(built) }) else {
                throw ArtifactError(.commandFailed, "building Kubernetes ended well and left no \(built)")
            }
            try await BinaryCheck.check(built, named: built, is: binary, of: stamp, architecture)
            try await offPool { try FileSystem.copy(built, to: "\(folder)/bin/\(binary.rawValue)", mode: 0o755) }
        }
        let (gopath, caches) = (self.gopath, self.caches)
        try await offPool {
            if FileSystem.exists(caches.used) { try FileSystem.rename(caches.used, to: caches.kept) }
            try FileSystem.remove(gopath)
        }
    }
}
