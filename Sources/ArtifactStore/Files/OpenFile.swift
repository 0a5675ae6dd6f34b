import Glibc

/// A file descriptor that closes with its last reference, and names its path in every error.
final class OpenFile: Sendable {
    let path: String
    let descriptor: CInt

    init(_ path: String, _ flags: CInt, mode: mode_t = 0o644) throws {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw ArtifactError(.storage, "\(path): cannot open: \(lastSystemError())") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw ArtifactError(.storage, "\(path): cannot write: \(lastSystemError())")
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Hands the file to `body` piece by piece, from the present offset to its end.
    func readAll(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count == 0 { return }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw ArtifactError(.storage, "\(path): cannot read: \(lastSystemError())")
                }
                try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
            }
        }
    }

    func synchronize() throws {
        guard fsync(descriptor) == 0 else { throw ArtifactError(.storage, "\(path): cannot flush: \(lastSystemError())") }
    }
}

/// `errno` in words.
func lastSystemError() -> String {
    let code = errno
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text)
}
