/// Finds blocks in PEM text.
enum PEMBlocks {
    /// The first block whose label ends in `PRIVATE KEY`, boundaries and all; nil if there is none.
    static func privateKey(in bytes: [UInt8]) -> [UInt8]? {
        var block: [Substring] = []
        var end: String?
        for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            if let ending = end {
                block.append(line)
                if line.hasPrefix(ending) { return Array((block.joined(separator: "\n") + "\n").utf8) }
            } else if line.hasPrefix("-----BEGIN "), line.hasSuffix("PRIVATE KEY-----") {
                block = [line]
                end = "-----END " + line.dropFirst("-----BEGIN ".count)
            }
        }
        return nil
    }
}
