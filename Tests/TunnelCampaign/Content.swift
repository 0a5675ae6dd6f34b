import Crypto
import NIOCore
import TestCampaign

/// Bytes that both ends know, different for each connection and direction.
struct Content {
    private static let block: ByteBuffer = {
        var generator = SeededGenerator(seed: 20_26)
        var buffer = ByteBuffer()
        for _ in 0..<(1 << 17) { buffer.writeInteger(generator.next()) }
        return buffer
    }()

    enum Direction: Int { case toTarget, fromTarget }

    private var position: Int
    private(set) var count = 0
    private var hash = SHA256()

    init(connection: Int, _ direction: Direction) {
        position = (connection &* 2 + direction.rawValue) &* 7919 % Self.block.readableBytes
    }

    /// What was taken of it so far, as one word.
    var digest: String { "\(count):" + hash.finalize().prefix(16).map { String($0, radix: 16) }.joined(separator: ".") }

    /// The next bytes to send, `limit` at most.
    mutating func next(_ limit: Int) -> ByteBuffer {
        let length = min(limit, Self.block.readableBytes - position)
        let slice = Self.block.getSlice(at: position, length: length) ?? ByteBuffer()
        advance(slice)
        return slice
    }

    /// Takes what was received; it is to be what follows.
    mutating func take(_ buffer: ByteBuffer) throws {
        var rest = buffer
        while rest.readableBytes > 0 {
            let length = min(rest.readableBytes, Self.block.readableBytes - position)
            guard let part = rest.readSlice(length: length), part == Self.block.getSlice(at: position, length: length) else {
                throw Corrupted(position: count)
            }
            advance(part)
        }
    }

    private mutating func advance(_ bytes: ByteBuffer) {
        bytes.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        count += bytes.readableBytes
        position = (position + bytes.readableBytes) % Self.block.readableBytes
    }
}

/// Other bytes arrived than were sent.
struct Corrupted: Error, CustomStringConvertible {
    var position: Int
    var description: String { "other bytes than were sent, from byte \(position) or soon after" }
}
