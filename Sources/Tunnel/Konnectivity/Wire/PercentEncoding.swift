/// `%XX`, as URLs' queries and gRPC's messages use it.
enum PercentEncoding {
    /// Decodes what can be decoded and leaves the rest as it is.
    static func decode(_ text: some StringProtocol) -> String { decode(text, strict: false) ?? "" }

    /// Nil when a `%` is not followed by two digits; `+` is a space.
    static func decodeQuery(_ text: some StringProtocol) -> String? { decode(text, strict: true) }

    static func encode(_ text: String) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if (0x20...0x7e).contains(byte), byte != UInt8(ascii: "%") {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes += [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x37 + $0 }
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func decode(_ text: some StringProtocol, strict: Bool) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                if let high = rest.first.flatMap(digit), let low = rest.dropFirst().first.flatMap(digit) {
                    bytes.append(high << 4 | low)
                    rest = rest.dropFirst(2)
                    continue
                }
                if strict { return nil }
            }
            bytes.append(strict && byte == UInt8(ascii: "+") ? 0x20 : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
