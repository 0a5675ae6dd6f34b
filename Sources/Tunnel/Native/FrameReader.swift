import NIOCore

/// Reads frames from bytes as they come. Nothing is copied but the few bytes of a frame that is spread over two reads: the bytes
/// of DATA are slices of what was read.
struct FrameReader {
    /// What DATA may carry in one frame; the rest is small.
    static let maximumData = 1 << 20
    static let maximumControl = 64 * 1024
    static let maximumOther = 4 * 1024

    private var buffer = ByteBuffer()
    private var header: FrameHeader?
    /// Of a DATA frame under way: how many bytes are still to come.
    private var dataLeft = 0

    /// Adds what was read. `next()` is to be called until it gives nil before more is added.
    mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next frame, or the next part of a DATA frame; nil when more bytes are needed.
    mutating func next() throws(FrameError) -> Frame? {
        if dataLeft > 0 { return nextData() }
        var known = header
        if known == nil { known = try readHeader() }
        guard let header = known else { return settle() }
        if header.type == FrameType.data.rawValue {
            self.header = nil
            dataLeft = header.length
            dataStream = header.stream
            return dataLeft == 0 ? .unknown : nextData()
        }
        guard buffer.readableBytes >= header.length, var payload = buffer.readSlice(length: header.length) else {
            self.header = header
            return settle()
        }
        self.header = nil
        return try Self.frame(header, &payload)
    }

    private var dataStream: UInt32 = 0

    private mutating func nextData() -> Frame? {
        let length = min(dataLeft, buffer.readableBytes)
        guard length > 0, let part = buffer.readSlice(length: length) else { return settle() }
        dataLeft -= length
        return .data(stream: dataStream, part)
    }

    /// Lets go of what was read: what is kept until the next read is less than a frame.
    private mutating func settle() -> Frame? {
        buffer = buffer.readableBytes == 0 ? ByteBuffer() : ByteBuffer(bytes: buffer.readableBytesView)
        return nil
    }

    private mutating func readHeader() throws(FrameError) -> FrameHeader? {
        guard let word = buffer.readInteger(as: UInt64.self) else { return nil }
        let header = FrameHeader(word)
        let limit =
            switch FrameType(rawValue: header.type) {
            case .data: Self.maximumData
            case .control: Self.maximumControl
            default: Self.maximumOther
            }
        guard header.length <= limit else {
            throw FrameError(description: "a frame of type \(header.type) with \(header.length) bytes, over the limit of \(limit)")
        }
        return header
    }

    private static func frame(_ header: FrameHeader, _ payload: inout ByteBuffer) throws(FrameError) -> Frame {
        guard let type = FrameType(rawValue: header.type) else { return .unknown }
        func short() -> FrameError { FrameError(description: "a frame of type \(type) with \(header.length) bytes, too few") }
        let stream = header.stream
        switch type {
        case .open:
            guard let window = payload.readInteger(as: UInt32.self) else { throw short() }
            return .open(stream: stream, window: window, target: String(buffer: payload))
        case .opened:
            guard let window = payload.readInteger(as: UInt32.self) else { throw short() }
            return .opened(stream: stream, window: window)
        case .refused:
            guard let status = payload.readInteger(as: UInt16.self) else { throw short() }
            let known = (400...599).contains(status)
            return .refused(stream: stream, DialFailure(status: known ? Int(status) : 502, reason: String(buffer: payload)))
        case .data: return .unknown
        case .finish: return .finish(stream: stream)
        case .reset: return .reset(stream: stream)
        case .window:
            guard let increment = payload.readInteger(as: UInt32.self) else { throw short() }
            return .window(stream: stream, increment: increment)
        case .ping:
            guard let token = payload.readInteger(as: UInt64.self) else { throw short() }
            return .ping(token)
        case .pong:
            guard let token = payload.readInteger(as: UInt64.self) else { throw short() }
            return .pong(token)
        case .leaving: return .leaving(reason: OneLine.clean(String(buffer: payload)))
        case .control: return .control(payload)
        }
    }
}
