/// Bytes that JSON carries as base64: a Secret's values, a certificate request, a CA bundle.
///
/// Its description never shows the bytes, so that a Secret which slips into a log slips in empty.
public struct Base64: Sendable, Equatable, Hashable {
    public var bytes: [UInt8]

    public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    public init(text: String) { self.bytes = Array(text.utf8) }

    /// The bytes as UTF-8; nil when they are not.
    public var text: String? { String(validating: bytes, as: UTF8.self) }

    public var encoded: String {
        var output: [UInt8] = []
        output.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = bytes.count - index
            let group =
                UInt32(bytes[index]) << 16 | (left > 1 ? UInt32(bytes[index + 1]) << 8 : 0) | (left > 2 ? UInt32(bytes[index + 2]) : 0)
            output.append(Self.alphabet[Int(group >> 18 & 63)])
            output.append(Self.alphabet[Int(group >> 12 & 63)])
            output.append(left > 1 ? Self.alphabet[Int(group >> 6 & 63)] : Self.padding)
            output.append(left > 2 ? Self.alphabet[Int(group & 63)] : Self.padding)
            index += 3
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Reads standard base64 with its padding, as Go's encoding/json writes it; nil for anything else.
    public init?(encoded: String) {
        let input = Array(encoded.utf8)
        guard input.count % 4 == 0 else { return nil }
        var output: [UInt8] = []
        output.reserveCapacity(input.count / 4 * 3)
        var index = 0
        while index < input.count {
            let isLast = index + 4 == input.count
            let padded = isLast ? (input[index + 3] != Self.padding ? 0 : input[index + 2] != Self.padding ? 1 : 2) : 0
            var group: UInt32 = 0
            for offset in 0..<4 {
                let value: UInt8? = offset >= 4 - padded ? 0 : Self.value(of: input[index + offset])
                guard let value else { return nil }
                group = group << 6 | UInt32(value)
            }
            output.append(UInt8(group >> 16 & 255))
            if padded < 2 { output.append(UInt8(group >> 8 & 255)) }
            if padded < 1 { output.append(UInt8(group & 255)) }
            index += 4
        }
        bytes = output
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

extension Base64: CustomStringConvertible, CustomReflectable {
    public var description: String { "<\(bytes.count) bytes>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Base64: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self.init([])
            return
        }
        guard let value = Base64(encoded: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "this is not base64")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(encoded)
    }
}
