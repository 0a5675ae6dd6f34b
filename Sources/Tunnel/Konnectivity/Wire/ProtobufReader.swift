import NIOCore

/// Why bytes are not the protobuf that they should be.
enum ProtobufError: Error, Hashable {
    case truncated
    case varintTooLong
    /// A field number of nought or past 2^29 - 1.
    case fieldNumber
    /// A group, which proto3 does not have, or a wire type that nothing has.
    case wireType(UInt8)
}

/// Reads the fields of one protobuf message, one after the other. It does not descend: an embedded message is bytes, for a reader of
/// their own.
struct ProtobufReader {
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(ByteBuffer)
        case fixed32(UInt32)
    }

    struct Field: Equatable {
        var number: UInt64
        var value: Value
    }

    private var buffer: ByteBuffer

    init(_ buffer: ByteBuffer) { self.buffer = buffer }

    /// Nil at the end of the message.
    mutating func next() throws(ProtobufError) -> Field? {
        guard buffer.readableBytes > 0 else { return nil }
        let tag = try varint()
        let number = tag >> 3
        guard (1...0x1fff_ffff).contains(number) else { throw .fieldNumber }
        let type = UInt8(truncatingIfNeeded: tag & 7)
        switch type {
        case 0:
            return Field(number: number, value: .varint(try varint()))
        case 1:
            guard let value = buffer.readInteger(endianness: .little, as: UInt64.self) else { throw .truncated }
            return Field(number: number, value: .fixed64(value))
        case 2:
            let length = try varint()
            // Compared before it is converted: it may be any 64 bits.
            guard length <= UInt64(buffer.readableBytes), let bytes = buffer.readSlice(length: Int(length)) else { throw .truncated }
            return Field(number: number, value: .bytes(bytes))
        case 5:
            guard let value = buffer.readInteger(endianness: .little, as: UInt32.self) else { throw .truncated }
            return Field(number: number, value: .fixed32(value))
        default:
            throw .wireType(type)
        }
    }

    private mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for position in 0..<10 {
            guard let byte = buffer.readInteger(as: UInt8.self) else { throw .truncated }
            // The tenth byte has room for one bit of the 64.
            if position == 9, byte > 1 { throw .varintTooLong }
            value |= UInt64(byte & 0x7f) << UInt64(7 * position)
            if byte & 0x80 == 0 { return value }
        }
        throw .varintTooLong
    }
}
