/// A message of Protocol Buffers in the making, as far as etcd's calls need it.
struct ProtocolMessage {
    private(set) var bytes: [UInt8] = []

    mutating func set(_ field: UInt64, _ text: String) {
        put(field << 3 | 2)
        put(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    mutating func set(_ field: UInt64, _ flag: Bool) {
        guard flag else { return }
        put(field << 3)
        put(1)
    }

    private mutating func put(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// The fields of a message that came: what is not there reads as zero or empty, as Protocol Buffers have it.
struct ProtocolFields {
    private enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)
    }

    private var values: [UInt64: [Value]] = [:]

    /// Nil for bytes that are no message.
    init?(_ bytes: some Collection<UInt8>) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            guard let key = Self.number(&rest) else { return nil }
            switch key & 7 {
            case 0:
                guard let number = Self.number(&rest) else { return nil }
                values[key >> 3, default: []].append(.number(number))
            case 2:
                guard let length = Self.number(&rest), length <= rest.count else { return nil }
                values[key >> 3, default: []].append(.bytes(rest.prefix(Int(length))))
                rest = rest.dropFirst(Int(length))
            case 1, 5:
                let length = key & 7 == 1 ? 8 : 4
                guard length <= rest.count else { return nil }
                rest = rest.dropFirst(length)
            default: return nil
            }
        }
    }

    func number(_ field: UInt64) -> UInt64 {
        guard case .number(let number) = values[field]?.last else { return 0 }
        return number
    }

    func texts(_ field: UInt64) -> [String] {
        (values[field] ?? []).compactMap { if case .bytes(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { nil } }
    }

    func message(_ field: UInt64) -> ProtocolFields? {
        guard case .bytes(let bytes) = values[field]?.last else { return nil }
        return ProtocolFields(bytes)
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }
}
