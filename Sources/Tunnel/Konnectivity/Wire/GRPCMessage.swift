import NIOCore

/// gRPC's framing of messages in a stream: a byte that says whether it is compressed, four of length, the message.
enum GRPCMessage {
    static let prefixLength = 5
    /// gRPC's own default, which upstream keeps on all sides.
    static let maximumLength = 4 * 1024 * 1024

    static func writePrefix(length: Int, to buffer: inout ByteBuffer) {
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(length))
    }
}

/// A stream of messages that cannot be followed.
enum GRPCMessageError: Error, Hashable, CustomStringConvertible {
    /// No compression was agreed on.
    case compressed
    case tooLong(UInt32)

    var description: String {
        switch self {
        case .compressed: "a compressed message, though no compression was agreed on"
        case .tooLong(let length): "a message of \(length) bytes, where \(GRPCMessage.maximumLength) are the most"
        }
    }
}

/// Cuts a stream of bytes into messages.
///
/// A message that lies within one piece of the stream is a slice of that piece. One that does not is put together in memory that
/// grows with what has come, not with what its length claims.
struct GRPCMessageReader {
    /// The beginning of a message, prefix and all.
    private var partial = ByteBuffer()
    private var current = ByteBuffer()
    private var later = CircularBuffer<ByteBuffer>(initialCapacity: 1)

    /// How many bytes wait for the rest of their message, or for `next()`.
    var bufferedBytes: Int { later.reduce(partial.readableBytes + current.readableBytes) { $0 + $1.readableBytes } }

    mutating func append(_ piece: ByteBuffer) {
        if current.readableBytes == 0, later.isEmpty {
            current = piece
        } else {
            later.append(piece)
        }
    }

    /// The next message that is complete. After an error the stream is of no use.
    mutating func next() throws(GRPCMessageError) -> ByteBuffer? {
        while true {
            if current.readableBytes == 0 {
                // Not kept for its capacity: messages hold on to it.
                current = later.popFirst() ?? ByteBuffer()
                if current.readableBytes == 0, later.isEmpty { return nil }
            }
            if partial.readableBytes == 0 {
                if let length = try Self.messageLength(current), current.readableBytes >= GRPCMessage.prefixLength + length {
                    current.moveReaderIndex(forwardBy: GRPCMessage.prefixLength)
                    return current.readSlice(length: length)
                }
                // The beginning of a message moves to memory of its own: the piece it came in may be far larger.
                partial = ByteBuffer(bytes: current.readableBytesView)
                current = ByteBuffer()
                continue
            }
            take(GRPCMessage.prefixLength)
            guard let length = try Self.messageLength(partial) else { continue }
            take(GRPCMessage.prefixLength + length)
            guard partial.readableBytes == GRPCMessage.prefixLength + length else { continue }
            var message = partial
            partial = ByteBuffer()
            message.moveReaderIndex(forwardBy: GRPCMessage.prefixLength)
            return message
        }
    }

    /// Nil while the prefix is not complete.
    private static func messageLength(_ buffer: ByteBuffer) throws(GRPCMessageError) -> Int? {
        guard let flag = buffer.getInteger(at: buffer.readerIndex, as: UInt8.self) else { return nil }
        guard flag == 0 else { throw .compressed }
        guard let length = buffer.getInteger(at: buffer.readerIndex + 1, as: UInt32.self) else { return nil }
        guard length <= GRPCMessage.maximumLength else { throw .tooLong(length) }
        return Int(length)
    }

    /// Lets `partial` grow to `count` bytes, as far as there are any.
    private mutating func take(_ count: Int) {
        let missing = count - partial.readableBytes
        guard missing > 0, let bytes = current.readSlice(length: min(missing, current.readableBytes)) else { return }
        partial.writeImmutableBuffer(bytes)
    }
}
