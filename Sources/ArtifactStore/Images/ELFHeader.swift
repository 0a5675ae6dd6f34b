import Glibc

/// The little of an ELF file that the store asks for: for which machine, and whether it needs shared libraries.
struct ELFHeader: Sendable {
    let machine: UInt16
    let isDynamic: Bool

    /// Nil where the bytes are not a 64-bit little-endian ELF file.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 64, bytes[0..<6] == [0x7f, 0x45, 0x4c, 0x46, 2, 1] else { return nil }
        func number(_ offset: Int, _ width: Int) -> Int {
            (0..<width).reversed().reduce(0) { $0 << 8 | Int(bytes[offset + $1]) }
        }
        machine = UInt16(number(18, 2))
        let start = number(32, 8), size = number(54, 2), count = number(56, 2)
        guard start >= 0, start < bytes.count, size >= 4, start + size * count <= bytes.count else { return nil }
        let dynamicSegment = 2
        isDynamic = (0..<count).contains { number(start + $0 * size, 4) == dynamicSegment }
    }

    init(reading path: String) throws {
        // The program headers stand right behind the header in every file that a linker writes.
        let file = try OpenFile(path, O_RDONLY)
        let bytes = [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
            count = max(0, read(file.descriptor, buffer.baseAddress, buffer.count))
        }
        guard let header = ELFHeader(bytes) else { throw ArtifactError(.invalidInput, "\(path): not a Linux program") }
        self = header
    }
}
