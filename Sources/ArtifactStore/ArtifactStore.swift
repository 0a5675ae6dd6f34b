import FoundationEssentials
import KubernetesVersions
import Logging

/// The versions' binaries and images, and everything else that a machine or a host needs: one folder, filled on demand.
///
/// Whatever stands at its place in the folder is whole: it was made beside it and moved there, with the checksums of all its
/// files. Any number of processes may use one store; a read-only one serves what it has.
public struct ArtifactStore: Sendable {
    public let root: String
    let layout: StoreLayout
    let logger: Logger
    let settings: Settings

    /// `NESTBOX_CACHE`, or `~/.cache/nestbox`.
    public static var defaultRoot: String {
        let environment = ProcessInfo.processInfo.environment
        if let named = environment["NESTBOX_CACHE"], !named.isEmpty { return named }
        return "\(environment["HOME"] ?? "/root")/.cache/nestbox"
    }

    public init(root: String = ArtifactStore.defaultRoot, settings: Settings = .fromEnvironment(), logger: Logger) {
        self.root = root
        self.layout = StoreLayout(root: root)
        self.settings = settings
        self.logger = logger
    }

    /// A release that is in the store already; nil where it is not. Fetches nothing.
    public func installedKubernetes(_ version: KubernetesVersion, architecture: Architecture = .current) async throws
        -> KubernetesArtifacts?
    {
        let place = layout.kubernetes(version, architecture)
        return try await offPool {
            guard let contents = try InstalledFiles(reading: place) else { return nil }
            return KubernetesArtifacts(
                version: version, architecture: architecture, directory: place, origin: contents.note("ORIGIN"), contents: contents)
        }
    }

    /// Brings a release's binaries and images from the first source that has them.
    /// - Parameter stampOf: another version whose source is built to report this one; only tests of upgrades want that.
    public func kubernetes(
        _ version: KubernetesVersion, architecture: Architecture = .current, stampOf base: KubernetesVersion? = nil,
        progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> KubernetesArtifacts {
        let sources: [any KubernetesSource] = base.map { [StampSource(layout: layout, base: $0)] } ?? self.sources
        return try await kubernetes(version, architecture, replacing: false, from: sources, progress: progress)
    }

    /// Takes a release from a folder of binaries, each of which must report that version.
    public func importKubernetes(
        _ version: KubernetesVersion, from folder: String, architecture: Architecture = .current,
        progress: @escaping ArtifactProgress = { _ in }
    ) async throws -> KubernetesArtifacts {
        try await kubernetes(version, architecture, replacing: true, from: [FolderSource(folder: folder)], progress: progress)
    }

    private func kubernetes(
        _ version: KubernetesVersion, _ architecture: Architecture, replacing: Bool, from sources: [any KubernetesSource],
        progress: @escaping ArtifactProgress
    ) async throws -> KubernetesArtifacts {
        if !replacing, let there = try await installedKubernetes(version, architecture: architecture) { return there }
        return try await StoreLock.holding("kubernetes-\(version)-\(architecture.rawValue)", layout: layout, progress: progress) {
            if !replacing, let there = try await installedKubernetes(version, architecture: architecture) { return there }
            let place = layout.kubernetes(version, architecture)
            try await Staging.install(at: place) { folder in
                let origin = try await provide(version, architecture, from: sources, into: folder, progress: progress)
                try await offPool { try FileSystem.write(origin + "\n", to: "\(folder)/ORIGIN") }
                try await makeImages(version, architecture, folder, progress: progress)
            }
            guard let artifacts = try await installedKubernetes(version, architecture: architecture) else {
                throw ArtifactError(.storage, "\(place): made, and not there")
            }
            logger.info("Kubernetes is in the store", metadata: ["version": "\(version)", "origin": "\(artifacts.origin)"])
            return artifacts
        }
    }

    /// Asks the sources in order; those that do not have it are named together when none does.
    private func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, from sources: [any KubernetesSource], into folder: String,
        progress: @escaping ArtifactProgress
    ) async throws -> String {
        var reasons: [String] = []
        for source in sources {
            do {
                return try await source.provide(version, architecture, into: folder, progress: progress)
            } catch let error as ArtifactError where error.kind == .notAvailable || error.kind == .missingTools {
                if sources.count == 1 { throw error }
                logger.debug("not from this source", metadata: ["source": "\(source.name)", "reason": "\(error)"])
                reasons.append("\(source.name): \(error)")
                try await offPool {
                    for name in FileSystem.names(in: folder) { try FileSystem.remove("\(folder)/\(name)") }
                }
            }
        }
        throw ArtifactError(
            .notAvailable,
            "Kubernetes \(version) for \(architecture.rawValue) is not in the store \(root), and no source has it:\n"
                + reasons.map { "  \($0)\n" }.joined()
                + "binaries that you have are taken by: nestbox artifacts import \(version) FOLDER")
    }

    /// Images that the source did not bring. Where Debian's packages cannot be had either, the binaries still serve:
    /// control-plane images may come from a registry.
    private func makeImages(
        _ version: KubernetesVersion, _ architecture: Architecture, _ folder: String, progress: @escaping ArtifactProgress
    ) async throws {
        let images = KubernetesImages(version: version, architecture: architecture, folder: folder)
        try await images.buildEtcd(progress: progress)
        let complete = try await offPool {
            KubernetesImage.allCases.allSatisfy { FileSystem.exists("\(folder)/images/\($0.rawValue).tar") }
        }
        if complete { return }
        do {
            let sysroot = try await sysroot(architecture, progress: progress)
            try await images.buildAll(sysroot: sysroot, progress: progress)
        } catch let error as ArtifactError where error.kind == .notAvailable || error.kind == .missingTools {
            progress("no images of Kubernetes \(version): \(error)")
            logger.warning("no images of this release", metadata: ["version": "\(version)", "reason": "\(error)"])
        }
    }

    /// In the order they are asked.
    var sources: [any KubernetesSource] {
        var sources: [any KubernetesSource] = []
        if let mirror { sources.append(MirrorSource(mirror: mirror)) }
        if !settings.offline { sources.append(officialSource) }
        if settings.debian { sources.append(DebianSource(layout: layout)) }
        return sources
    }

    var officialSource: OfficialSource {
        OfficialSource(
            url: settings.officialURL, layout: layout, downloader: settings.downloader, unreachable: settings.unreachable)
    }

    var mirror: MirrorFolder? {
        settings.mirror.map { MirrorFolder(url: $0, layout: layout, downloader: settings.downloader) }
    }
}
