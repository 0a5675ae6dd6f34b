#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What a command reads from its standard input, piece by piece.
struct CommandInput {
    private enum Source {
        case bytes([UInt8])
        case file(OpenFile)
        case nothing
    }
    private var source: Source
    /// The piece under way. It stays where it is in memory until all of it is written: libssh2 wants the same buffer again.
    private(set) var piece: [UInt8] = []
    private var written = 0
    private(set) var total = 0

    init(_ bytes: [UInt8]) { source = bytes.isEmpty ? .nothing : .bytes(bytes) }
    init(_ file: OpenFile) { source = .file(file) }

    /// Whether there is something to write; reads on when needed.
    mutating func hasMore() throws(OpenFile.Failure) -> Bool {
        if written < piece.count { return true }
        written = 0
        switch source {
        case .nothing:
            piece = []
        case .bytes(let bytes):
            piece = bytes
            source = .nothing
        case .file(let file):
            piece = try file.read(upTo: 256 * 1024)
            if piece.isEmpty { source = .nothing }
        }
        return !piece.isEmpty
    }

    /// Writes what is left of the piece by a call that returns how much it took, or an error.
    mutating func write(_ call: (UnsafePointer<CChar>, Int) -> Int) -> Int {
        let from = written
        let result = piece.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            return call((base + from).assumingMemoryBound(to: CChar.self), bytes.count - from)
        }
        if result > 0 {
            written += result
            total += result
        }
        return result
    }
}

/// A local file open for reading; closed with its last reference.
final class OpenFile {
    struct Failure: Error { let reason: String }

    private let descriptor: Int32
    let size: Int

    init(_ path: String) throws(Failure) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        var info = stat()
        guard descriptor >= 0, fstat(descriptor, &info) == 0 else {
            size = 0
            throw Failure(reason: String(cString: strerror(errno)))
        }
        size = Int(info.st_size)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The next bytes; none at the end.
    func read(upTo count: Int) throws(Failure) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            var result = -1
            repeat {
                #if canImport(Glibc)
                    result = Glibc.read(descriptor, buffer.baseAddress, count)
                #else
                    result = Darwin.read(descriptor, buffer.baseAddress, count)
                #endif
            } while result < 0 && errno == EINTR
            if result < 0 { code = errno }
            initialized = max(0, result)
        }
        if code != 0 { throw Failure(reason: String(cString: strerror(code))) }
        return bytes
    }
}
