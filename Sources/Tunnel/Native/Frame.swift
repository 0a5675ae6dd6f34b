import NIOCore

/// What travels on a native connection, behind TLS. `NativeProtocol` tells the whole story.
enum Frame: Equatable {
    /// Server to agent: dial this. `window` is how many bytes the sender of the frame takes before it grants more.
    case open(stream: UInt32, window: UInt32, target: String)
    case opened(stream: UInt32, window: UInt32)
    case refused(stream: UInt32, DialFailure)
    /// A part of a DATA frame, as it arrived.
    case data(stream: UInt32, ByteBuffer)
    /// The sender will send nothing more: a half-close.
    case finish(stream: UInt32)
    case reset(stream: UInt32)
    /// The sender takes so many bytes more.
    case window(stream: UInt32, increment: UInt32)
    case ping(UInt64)
    case pong(UInt64)
    /// The sender wants no new streams, and why.
    case leaving(reason: String)
    /// Text of `ControlMessage`s; a message may be spread over frames.
    case control(ByteBuffer)
    /// A later version's frame, which does not concern us.
    case unknown
}

/// Breaks the protocol: the connection is closed.
struct FrameError: Error, Equatable, CustomStringConvertible {
    var description: String
}

enum FrameType: UInt8 {
    case open = 1
    case opened = 2
    case refused = 3
    case data = 4
    case finish = 5
    case reset = 6
    case window = 7
    case ping = 8
    case pong = 9
    case leaving = 10
    case control = 11
}

/// A frame's first eight bytes: the payload's length in 24 bits, the type in 8, the stream in 32, in network order.
struct FrameHeader: Equatable {
    static let size = 8

    var length: Int
    var type: UInt8
    var stream: UInt32

    init(length: Int, type: UInt8, stream: UInt32) {
        self.length = length
        self.type = type
        self.stream = stream
    }

    init(_ word: UInt64) {
        length = Int(word >> 40)
        type = UInt8(truncatingIfNeeded: word >> 32)
        stream = UInt32(truncatingIfNeeded: word)
    }

    var word: UInt64 { UInt64(length) << 40 | UInt64(type) << 32 | UInt64(stream) }
}

extension ByteBuffer {
    /// The header of a DATA frame; its bytes follow.
    mutating func writeDataHeader(stream: UInt32, length: Int) {
        writeInteger(FrameHeader(length: length, type: FrameType.data.rawValue, stream: stream).word)
    }

    mutating func writeFrame(_ frame: Frame) {
        switch frame {
        case .open(let stream, let window, let target):
            writeHeader(.open, stream, 4 + target.utf8.count)
            writeInteger(window)
            writeString(target)
        case .opened(let stream, let window):
            writeHeader(.opened, stream, 4)
            writeInteger(window)
        case .refused(let stream, let failure):
            writeHeader(.refused, stream, 2 + failure.reason.utf8.count)
            writeInteger(UInt16(clamping: failure.status))
            writeString(failure.reason)
        case .data(let stream, let bytes):
            writeDataHeader(stream: stream, length: bytes.readableBytes)
            writeImmutableBuffer(bytes)
        case .finish(let stream): writeHeader(.finish, stream, 0)
        case .reset(let stream): writeHeader(.reset, stream, 0)
        case .window(let stream, let increment):
            writeHeader(.window, stream, 4)
            writeInteger(increment)
        case .ping(let token):
            writeHeader(.ping, 0, 8)
            writeInteger(token)
        case .pong(let token):
            writeHeader(.pong, 0, 8)
            writeInteger(token)
        case .leaving(let reason):
            let text = OneLine.clean(reason)
            writeHeader(.leaving, 0, text.utf8.count)
            writeString(text)
        case .control(let text):
            writeHeader(.control, 0, text.readableBytes)
            writeImmutableBuffer(text)
        case .unknown: break
        }
    }

    private mutating func writeHeader(_ type: FrameType, _ stream: UInt32, _ length: Int) {
        writeInteger(FrameHeader(length: length, type: type.rawValue, stream: stream).word)
    }
}
