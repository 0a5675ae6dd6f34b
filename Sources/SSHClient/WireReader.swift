/// Reads SSH's wire strings: a length of four bytes, then so many bytes.
struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next string's bytes; nil when they are not all there.
    mutating func string() -> [UInt8]? {
        guard let length = uint32(), length <= bytes.count - position else { return nil }
        defer { position += length }
        return Array(bytes[position..<position + length])
    }

    mutating func uint32() -> Int? {
        guard bytes.count - position >= 4 else { return nil }
        defer { position += 4 }
        return bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    mutating func skip(_ prefix: [UInt8]) -> Bool {
        guard bytes[position...].starts(with: prefix) else { return false }
        position += prefix.count
        return true
    }

    /// The first string as text.
    var firstString: String? {
        var copy = self
        return copy.string().flatMap { String(validating: $0, as: UTF8.self) }
    }
}
