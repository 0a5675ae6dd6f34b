import Glibc

/// Certificates, keys and the agent's own small state, without Foundation. Blocking: not for an event loop or the cooperative pool.
public enum SmallFile {
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        public var path: String
        public var operation: String
        public var errno: Int32

        public var isNotFound: Bool { errno == ENOENT }
        public var description: String { "\(path): \(operation): \(String(cString: strerror(errno)))" }
    }

    /// What tells one content of a path from the next without reading it.
    public struct Stamp: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    public static func stamp(_ path: String) throws(Failure) -> Stamp {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure(path: path, operation: "stat", errno: errno) }
        return Stamp(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec)
    }

    public static func read(_ path: String, limit: Int = 1 << 20) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, operation: "open", errno: errno) }
        defer { close(descriptor) }
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return content }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw Failure(path: path, operation: "read", errno: errno)
            }
            content += chunk[..<count]
            guard content.count <= limit else { throw Failure(path: path, operation: "read", errno: EFBIG) }
        }
    }

    public static func text(_ path: String) throws(Failure) -> String { String(decoding: try read(path), as: UTF8.self) }

    /// Replaces the file in one step, so that a crash leaves the old content or the new.
    public static func replace(_ path: String, with content: String, mode: mode_t = 0o600) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(path: temporary, operation: "create", errno: errno) }
        do {
            defer { close(descriptor) }
            var rest = Array(content.utf8)[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count >= 0 else {
                    if errno == EINTR { continue }
                    throw Failure(path: temporary, operation: "write", errno: errno)
                }
                rest = rest.dropFirst(count)
            }
            guard fsync(descriptor) == 0 else { throw Failure(path: temporary, operation: "fsync", errno: errno) }
        }
        guard rename(temporary, path) == 0 else { throw Failure(path: path, operation: "rename", errno: errno) }
    }

    /// Writes to a file that is there, in place: for the files of `/proc/sys`.
    public static func write(_ text: String, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(path: path, operation: "open", errno: errno) }
        defer { close(descriptor) }
        let written = Array(text.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == text.utf8.count else { throw Failure(path: path, operation: "write", errno: errno) }
    }

    /// Makes a directory and those above it.
    public static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(Failure) {
        guard mkdir(path, mode) != 0, errno != EEXIST else { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw Failure(path: path, operation: "mkdir", errno: errno)
        }
        try makeDirectory(String(path[..<slash]), mode: 0o755)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw Failure(path: path, operation: "mkdir", errno: errno) }
    }

    public static func remove(_ path: String) throws(Failure) {
        guard unlink(path) == 0 || errno == ENOENT else { throw Failure(path: path, operation: "unlink", errno: errno) }
    }
}
