import Glibc

/// Brings files over HTTP: resumed when broken off, retried when that makes sense, checked.
struct Downloader: Sendable {
    var connectTimeout: Duration = .seconds(5)
    var stallTimeout: Duration = .seconds(30)
    /// How often in a row an attempt may bring nothing.
    var attempts = 4
    var firstPause: Duration = .seconds(1)
    var proxy: String?

    /// Brings a file to `path`. What an earlier, broken attempt left there is continued.
    /// - Parameter sha256: what the file must be; nil for one that says so itself.
    func download(_ url: String, to path: String, sha256: String?, progress: @escaping ArtifactProgress = { _ in }) async throws {
        var fresh = try await offPool { (FileSystem.size(path) ?? 0) == 0 }
        while true {
            try await transfer(url, to: path, progress: progress)
            guard let sha256 else { return }
            let actual = try await offPool { try FileSystem.digest(path) }
            if actual == sha256 { return }
            try await offPool { try FileSystem.remove(path) }
            // The first part may be of another day's file: once more, from the start.
            guard !fresh else {
                throw ArtifactError(
                    .checksumMismatch,
                    "\(Self.shown(url)): its SHA-256 is \(actual), and its publisher says \(sha256); nothing of it was kept. "
                        + "Something between here and there changes files, or the publisher's copy is damaged")
            }
            progress("\(Self.name(url)): not what its checksum says; again from the start")
            fresh = true
        }
    }

    /// A small text file.
    func text(_ url: String, scratch: String) async throws -> String {
        try await offPool { try FileSystem.remove(scratch) }
        do {
            try await transfer(url, to: scratch, progress: { _ in })
        } catch {
            try? await offPool { try FileSystem.remove(scratch) }
            throw error
        }
        return try await offPool {
            defer { try? FileSystem.remove(scratch) }
            return try FileSystem.text(scratch)
        }
    }

    private func transfer(_ url: String, to path: String, progress: @escaping ArtifactProgress) async throws {
        var failures = 0
        var last = ""
        while failures < attempts {
            if failures > 0 { try await Task.sleep(for: firstPause * (1 << (failures - 1))) }
            let before = try await offPool { FileSystem.size(path) ?? 0 }
            switch try await attempt(url, to: path, offset: before, progress: progress) {
            case .complete: return
            case .cancelled: throw CancellationError()
            case .status(404), .status(403), .status(410), .status(451):
                throw ArtifactError(.notAvailable, "\(Self.shown(url)) is not there")
            case .status(416), .status(200):
                // There is nothing behind what we have, or the server knows no ranges: from the start.
                try await offPool { try FileSystem.remove(path) }
                last = "the server could not go on where the transfer broke off"
            case .status(let status) where status == 429 || status == 408 || status >= 500: last = "the server answered \(status)"
            case .status(let status): throw ArtifactError(.notAvailable, "\(Self.shown(url)): the server answered \(status)")
            case .unreachable(let reason) where before == 0:
                throw ArtifactError(.notAvailable, "\(Self.shown(url)) cannot be reached: \(reason)")
            case .unreachable(let reason), .broken(let reason): last = reason
            }
            let after = try await offPool { FileSystem.size(path) ?? 0 }
            failures = after > before ? 1 : failures + 1
            progress("\(Self.name(url)): \(last); trying again from \(after / 1_000_000) MB")
        }
        throw ArtifactError(.notAvailable, "\(Self.shown(url)): given up after \(attempts) attempts; the last ended with: \(last)")
    }

    private func attempt(
        _ url: String, to path: String, offset: Int, progress: @escaping ArtifactProgress
    ) async throws -> Transfer.Outcome {
        let cancelled = CancellationFlag()
        let (connectTimeout, stallTimeout, proxy) = (self.connectTimeout, self.stallTimeout, self.proxy)
        return try await withTaskCancellationHandler {
            try await offPool {
                let file = try OpenFile(path, O_WRONLY | O_CREAT)
                var reported = ContinuousClock.now
                return try Transfer(
                    url: url, file: file, offset: offset, connectTimeout: connectTimeout, stallTimeout: stallTimeout, proxy: proxy,
                    cancelled: cancelled
                ) { done, total in
                    guard ContinuousClock.now - reported > .seconds(5) else { return }
                    reported = .now
                    progress("\(Self.name(url)): \(done / 1_000_000) of \(total.map { "\($0 / 1_000_000)" } ?? "?") MB")
                }.perform()
            }
        } onCancel: {
            cancelled.set()
        }
    }

    static func name(_ url: String) -> String { String(url.split(separator: "/").last ?? "") }

    /// A URL as messages show it: a user's name and password in it stay out of them.
    static func shown(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return url }
        return String(url[..<scheme.upperBound]) + String(rest[rest.index(after: at)...])
    }
}
