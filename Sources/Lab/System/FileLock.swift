import Glibc

/// One command at a time works on a lab: `flock` on a file. The kernel lets go when the holder dies.
enum FileLock {
    static func holding<T: Sendable>(_ path: String, waiting: () -> Void, _ body: () async throws -> T) async throws -> T {
        let descriptor = try await offPool {
            try Files.createFolder(String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)]))
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw LabError("\(path): cannot open: \(Files.systemError())") }
            return descriptor
        }
        defer { close(descriptor) }
        var announced = false
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw LabError("\(path): cannot lock: \(Files.systemError())") }
            if !announced { waiting() }
            announced = true
            try await Task.sleep(for: .milliseconds(100))
        }
        return try await body()
    }
}
