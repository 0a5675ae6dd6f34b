import NIOCore

/// The protobuf that Konnectivity's packets need: varints, and bytes with their length. What is nought or empty is left out, as
/// proto3 says.
enum ProtobufWriter {
    static func size(ofVarint value: UInt64) -> Int {
        // Seven bits a byte.
        (max(64 - value.leadingZeroBitCount, 1) + 6) / 7
    }

    static func size(ofField number: UInt8, _ value: Int64) -> Int {
        value == 0 ? 0 : 1 + size(ofVarint: UInt64(bitPattern: value))
    }

    static func size(ofField number: UInt8, bytes count: Int) -> Int {
        count == 0 ? 0 : 1 + size(ofVarint: UInt64(count)) + count
    }

    static func write(_ value: UInt64, to buffer: inout ByteBuffer) {
        var rest = value
        while rest >= 0x80 {
            buffer.writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.writeInteger(UInt8(truncatingIfNeeded: rest))
    }

    /// Field numbers up to 15, whose tag is one byte.
    static func write(field number: UInt8, _ value: Int64, to buffer: inout ByteBuffer) {
        guard value != 0 else { return }
        buffer.writeInteger(number << 3)
        write(UInt64(bitPattern: value), to: &buffer)
    }

    static func write(field number: UInt8, _ text: String, to buffer: inout ByteBuffer) {
        guard !text.isEmpty else { return }
        write(field: number, lengthOf: text.utf8.count, to: &buffer)
        buffer.writeString(text)
    }

    /// The tag and length of a field whose bytes follow.
    static func write(field number: UInt8, lengthOf count: Int, to buffer: inout ByteBuffer) {
        buffer.writeInteger(number << 3 | 2)
        write(UInt64(count), to: &buffer)
    }
}
