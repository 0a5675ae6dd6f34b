/// The numbers of the kernel's rtnetlink that are used here (`linux/netlink.h`, `linux/rtnetlink.h`, `linux/if_addr.h`).
enum Netlink {
    static let route: Int32 = 0

    enum Kind {
        static let error: UInt16 = 2
        static let done: UInt16 = 3
        static let newAddress: UInt16 = 20
        static let deleteAddress: UInt16 = 21
        static let getAddress: UInt16 = 22
        static let newRoute: UInt16 = 24
        static let deleteRoute: UInt16 = 25
        static let getRoute: UInt16 = 26
    }

    enum Flag {
        static let request: UInt16 = 0x1
        static let acknowledge: UInt16 = 0x4
        static let dump: UInt16 = 0x300
        static let replace: UInt16 = 0x100
        static let exclusive: UInt16 = 0x200
        static let create: UInt16 = 0x400
    }

    static let familyIPv4: UInt8 = 2
    static let familyIPv6: UInt8 = 10
    static let scopeUniverse: UInt8 = 0
    static let scopeHost: UInt8 = 254
    static let scopeNowhere: UInt8 = 255
    static let tableMain: UInt8 = 254
    static let typeUnicast: UInt8 = 1
}

/// One message, with its header taken off.
struct NetlinkMessage: Equatable {
    var kind: UInt16
    var flags: UInt16
    var sequence: UInt32
    var payload: [UInt8]

    static let headerSize = 16

    /// The bytes that go to the kernel.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(native: UInt32(Self.headerSize + payload.count))
        bytes.append(native: kind)
        bytes.append(native: flags)
        bytes.append(native: sequence)
        bytes.append(native: UInt32(0))
        return bytes + payload
    }

    /// The messages of one datagram; a length that cannot be ends it.
    static func decode(_ bytes: [UInt8]) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var offset = 0
        while offset + headerSize <= bytes.count {
            let length = Int(bytes.native(UInt32.self, at: offset))
            guard length >= headerSize, offset + length <= bytes.count else { break }
            messages.append(
                NetlinkMessage(
                    kind: bytes.native(UInt16.self, at: offset + 4), flags: bytes.native(UInt16.self, at: offset + 6),
                    sequence: bytes.native(UInt32.self, at: offset + 8), payload: Array(bytes[(offset + headerSize)..<(offset + length)])))
            offset += aligned(length)
        }
        return messages
    }

    /// The code of an answer of kind `error`; 0 is an acknowledgement.
    var errorCode: Int32? {
        guard kind == Netlink.Kind.error, payload.count >= 4 else { return nil }
        return 0 &- payload.native(Int32.self, at: 0)
    }

    static func aligned(_ length: Int) -> Int { (length + 3) & ~3 }
}

/// The attributes behind a message's fixed part.
struct NetlinkAttributes: Equatable {
    private(set) var values: [UInt16: [UInt8]] = [:]

    init(_ bytes: ArraySlice<UInt8>) {
        let bytes = Array(bytes)
        var offset = 0
        while offset + 4 <= bytes.count {
            let length = Int(bytes.native(UInt16.self, at: offset))
            guard length >= 4, offset + length <= bytes.count else { break }
            // The upper two bits are flags.
            values[bytes.native(UInt16.self, at: offset + 2) & 0x3fff] = Array(bytes[(offset + 4)..<(offset + length)])
            offset += NetlinkMessage.aligned(length)
        }
    }

    func number(_ attribute: UInt16) -> UInt32? {
        values[attribute].flatMap { $0.count == 4 ? $0.native(UInt32.self, at: 0) : nil }
    }

    static func encode(_ attribute: UInt16, _ value: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(native: UInt16(4 + value.count))
        bytes.append(native: attribute)
        bytes += value
        bytes += [UInt8](repeating: 0, count: NetlinkMessage.aligned(bytes.count) - bytes.count)
        return bytes
    }

    static func encode(_ attribute: UInt16, _ value: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(native: value)
        return encode(attribute, bytes)
    }
}

extension Array where Element == UInt8 {
    mutating func append(native value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }

    func native<Value: FixedWidthInteger>(_ type: Value.Type, at offset: Int) -> Value {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }
}
