import Crypto
import Glibc
import HexDigest

/// Takes bytes in order: a file, a digest, or memory.
protocol ByteSink {
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws
}

extension ByteSink {
    mutating func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { try write($0) }
    }
}

/// The SHA-256 of what is written, and nothing else of it.
struct DigestSink: ByteSink {
    private var hash = SHA256()
    private(set) var size = 0

    mutating func write(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
        size += bytes.count
    }

    var hexDigest: String { hexadecimal(hash.finalize()) }
}

struct MemorySink: ByteSink {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
}

/// A new file, with the digest of what went into it.
struct FileSink: ByteSink {
    private let descriptor: OpenFile
    private(set) var digest = DigestSink()

    init(creating path: String, mode: mode_t = 0o644) throws {
        descriptor = try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        digest.write(bytes)
        try descriptor.write(bytes)
    }

    /// On the disk before anyone is told that it is there.
    func synchronize() throws { try descriptor.synchronize() }
}
