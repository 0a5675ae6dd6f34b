import Glibc

/// One entry of a tar: where, what and with which rights. Owner root, time zero: the same entries make the same bytes.
struct TarEntry: Sendable {
    enum Content: Sendable {
        case directory
        case symbolicLink(String)
        case data([UInt8])
        /// A file on disk of a size that is known, and checked when it is read.
        case file(path: String, size: Int)
    }

    /// Relative, without a slash at either end.
    var path: String
    var mode: UInt16
    var content: Content

    var size: Int {
        switch content {
        case .directory, .symbolicLink: 0
        case .data(let bytes): bytes.count
        case .file(_, let size): size
        }
    }
}

/// Writes `ustar`, the form that every tar reads.
struct TarWriter<Sink: ByteSink> {
    private(set) var sink: Sink

    init(_ sink: Sink) { self.sink = sink }

    mutating func add(_ entry: TarEntry) throws {
        try sink.write(try TarHeader(entry).block())
        switch entry.content {
        case .directory, .symbolicLink: break
        case .data(let bytes): try sink.write(bytes)
        case .file(let path, let size):
            var written = 0
            try OpenFile(path, O_RDONLY).readAll {
                written += $0.count
                try sink.write($0)
            }
            guard written == size else {
                throw ArtifactError(.storage, "\(path): changed while it was read (\(size), then \(written) bytes)")
            }
        }
        try pad(entry.size)
    }

    /// Adds an entry whose bytes the caller writes: exactly `size` of them.
    mutating func add(path: String, size: Int, _ body: (inout Sink) throws -> Void) throws {
        try sink.write(try TarHeader(path: path, mode: 0o644, size: size, type: "0", link: "").block())
        try body(&sink)
        try pad(size)
    }

    /// Two blocks of zeroes: the end.
    mutating func finish() throws { try sink.write([UInt8](repeating: 0, count: 1024)) }

    private mutating func pad(_ size: Int) throws {
        let rest = size % 512
        if rest != 0 { try sink.write([UInt8](repeating: 0, count: 512 - rest)) }
    }

    /// How many bytes an archive of these entries has.
    static func size(of entries: [TarEntry]) -> Int { entries.reduce(1024) { $0 + 512 + ($1.size + 511) / 512 * 512 } }
}

/// The 512 bytes before an entry.
struct TarHeader {
    var path: String
    var mode: UInt16
    var size: Int
    var type: Character
    var link: String

    init(path: String, mode: UInt16, size: Int, type: Character, link: String) {
        self.path = path
        self.mode = mode
        self.size = size
        self.type = type
        self.link = link
    }

    init(_ entry: TarEntry) {
        self.init(path: entry.path, mode: entry.mode, size: entry.size, type: "0", link: "")
        switch entry.content {
        case .directory:
            type = "5"
            path += "/"
        case .symbolicLink(let target):
            type = "2"
            link = target
        case .data, .file: break
        }
    }

    func block() throws -> [UInt8] {
        let (prefix, name) = try splitPath()
        guard link.utf8.count <= 100 else {
            throw ArtifactError(.storage, "\(path): a link's target of more than 100 bytes does not fit a tar")
        }
        guard size < 1 << 33 else { throw ArtifactError(.storage, "\(path): a file of 8 GiB or more does not fit a tar") }
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) { block.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8) }
        put(name, at: 0)
        put(octal(Int(mode), 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(size, 11), at: 124)
        put(octal(0, 11), at: 136)
        put(String(type), at: 156)
        put(link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put("root", at: 265)
        put("root", at: 297)
        put(prefix, at: 345)
        // The checksum counts its own field as spaces.
        put("        ", at: 148)
        let sum = block.reduce(0) { $0 + Int($1) }
        put(octal(sum, 6) + "\0 ", at: 148)
        return block
    }

    /// Paths of up to 255 bytes are split at a slash into a name of at most 100 and a prefix of at most 155.
    private func splitPath() throws -> (prefix: String, name: String) {
        let bytes = Array(path.utf8)
        if bytes.count <= 100 { return ("", path) }
        for index in bytes.indices where bytes[index] == UInt8(ascii: "/") && index <= 155 {
            let nameLength = bytes.count - index - 1
            if nameLength <= 100, nameLength > 0 {
                return (String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 1)...], as: UTF8.self))
            }
        }
        throw ArtifactError(.storage, "\(path): a path this long does not fit a tar")
    }

    private func octal(_ value: Int, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
