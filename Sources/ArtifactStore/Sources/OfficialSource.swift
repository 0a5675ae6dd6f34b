import KubernetesVersions
import Synchronization

/// The release that the Kubernetes project publishes: static binaries with a checksum beside each.
struct OfficialSource: KubernetesSource {
    /// Without a slash at the end.
    let url: String
    let layout: StoreLayout
    let downloader: Downloader
    let unreachable: UnreachableHosts

    var name: String { "the official release" }

    private func address(_ version: KubernetesVersion, _ architecture: Architecture, _ file: String) -> String {
        "\(url)/\(version)/bin/linux/\(architecture.rawValue)/\(file)"
    }

    /// Whether the release can be had right now.
    func has(_ version: KubernetesVersion, _ architecture: Architecture) async -> Bool {
        let scratch = "\(layout.downloads)/.probe-\(version)"
        guard (try? await offPool { try FileSystem.createFolder(layout.downloads) }) != nil else { return false }
        return (try? await checksum(version, architecture, .kubelet, scratch: scratch)) != nil
    }

    func provide(
        _ version: KubernetesVersion, _ architecture: Architecture, into folder: String, progress: @escaping ArtifactProgress
    ) async throws -> String {
        // Outside of what is swept away on failure: the next attempt goes on where this one broke off.
        let downloads = "\(layout.downloads)/kubernetes-\(version)-\(architecture.rawValue)"
        try await offPool {
            try FileSystem.createFolder(downloads)
            try FileSystem.createFolder("\(folder)/bin")
        }
        do {
            try await download(version, architecture, downloads, into: folder, progress: progress)
        } catch {
            try? await offPool { FileSystem.removeIfEmpty(downloads) }
            throw error
        }
        try await offPool { try FileSystem.remove(downloads) }
        return "official release, \(Downloader.shown(url))"
    }

    private func download(
        _ version: KubernetesVersion, _ architecture: Architecture, _ downloads: String, into folder: String,
        progress: @escaping ArtifactProgress
    ) async throws {
        for binary in KubernetesBinary.allCases {
            let expected = try await checksum(version, architecture, binary, scratch: "\(downloads)/\(binary.rawValue).sha256")
            progress("downloading \(binary.rawValue) \(version)")
            let download = "\(downloads)/\(binary.rawValue)"
            try await downloader.download(
                address(version, architecture, binary.rawValue), to: download, sha256: expected, progress: progress)
            try await offPool { try FileSystem.move(download, to: "\(folder)/bin/\(binary.rawValue)", mode: 0o755) }
        }
    }

    private func checksum(
        _ version: KubernetesVersion, _ architecture: Architecture, _ binary: KubernetesBinary, scratch: String
    ) async throws -> String {
        if let reason = unreachable.reason(url) { throw ArtifactError(.notAvailable, reason) }
        let address = address(version, architecture, "\(binary.rawValue).sha256")
        let text: String
        do {
            text = try await downloader.text(address, scratch: scratch)
        } catch let error as ArtifactError where error.kind == .notAvailable {
            if error.message.contains("cannot be reached") { unreachable.remember(url, error.message) }
            throw error
        }
        guard let digest = ChecksumList.digest(text) else {
            throw ArtifactError(.notAvailable, "\(Downloader.shown(address)) holds no SHA-256 but \"\(text.prefix(60))\"")
        }
        return digest
    }
}

/// Where nobody answered, so that a computer without internet waits once and not for every file.
final class UnreachableHosts: Sendable {
    /// For the life of the process.
    static let shared = UnreachableHosts()

    private let reasons = Mutex<[String: String]>([:])

    func reason(_ url: String) -> String? { reasons.withLock { $0[url] } }
    func remember(_ url: String, _ reason: String) { reasons.withLock { $0[url] = reason } }
}
