import NIOCore

/// Finds where HTTP/2's frames end in a stream of bytes.
struct FrameBoundaries {
    /// What a client sends in front of its first frame.
    static let preface = 24

    /// What is left of the frame, or of the preface, behind the length.
    private var rest: Int
    private var length = 0
    private var lengthBytes = 0

    init(afterPreface: Bool) { rest = afterPreface ? Self.preface : 0 }

    /// How many of the bytes are in front of the end of the last frame that ends in them; nought if none does.
    mutating func lastEnd(in bytes: ByteBufferView) -> Int {
        var position = 0
        var end = 0
        while position < bytes.count {
            if rest > 0 {
                let step = min(rest, bytes.count - position)
                position += step
                rest -= step
                if rest == 0 { end = position }
            } else {
                length = length << 8 | Int(bytes[bytes.startIndex + position])
                position += 1
                lengthBytes += 1
                guard lengthBytes == 3 else { continue }
                // Type, flags and stream, and the payload.
                rest = 6 + length
                (length, lengthBytes) = (0, 0)
            }
        }
        return end
    }
}

/// Below HTTP/2: hands it complete frames apart from the beginning of the next one.
///
/// NIO's decoder keeps all bytes since a piece last ended with a frame. Where frames and pieces never end together, as in a fast
/// download, that grows for ever; and while a reader is slow, so that what was decoded is still held, all of it is copied for each
/// piece that comes. It also knows when the other end was last heard of: any byte counts.
final class FrameCutter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private(set) var lastHeard = NIODeadline.now()
    private var boundaries: FrameBoundaries

    init(boundaries: FrameBoundaries) { self.boundaries = boundaries }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastHeard = .now()
        var bytes = unwrapInboundIn(data)
        let end = boundaries.lastEnd(in: bytes.readableBytesView)
        if end > 0, end < bytes.readableBytes, let frames = bytes.readSlice(length: end) {
            context.fireChannelRead(wrapInboundOut(frames))
        }
        context.fireChannelRead(wrapInboundOut(bytes))
    }
}
