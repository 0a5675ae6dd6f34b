import Glibc

/// One process, and one task of it, at a time: `flock` on a file of the store. The kernel lets go when a holder dies.
enum StoreLock {
    static func holding<T: Sendable>(
        _ name: String, layout: StoreLayout, progress: ArtifactProgress, _ body: () async throws -> T
    ) async throws -> T {
        let path = "\(layout.locks)/\(name).lock"
        let file = try await offPool {
            try FileSystem.createFolder(layout.locks)
            return try OpenFile(path, O_RDWR | O_CREAT)
        }
        var announced = false
        while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                throw ArtifactError(.storage, "\(path): cannot lock: \(lastSystemError())")
            }
            if !announced {
                progress("waiting for another nestbox that is at work on \(name)")
                announced = true
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        defer { flock(file.descriptor, LOCK_UN) }
        return try await body()
    }
}
