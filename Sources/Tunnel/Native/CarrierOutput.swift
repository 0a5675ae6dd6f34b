import NIOCore

/// What leaves on a native connection: frames of one turn of the event loop go together.
///
/// Each write to TLS is a record of its own and each flush a call of the kernel's, and many streams write a little at a time.
final class CarrierOutput {
    /// Frames that carry less are copied together, so that they share a TLS record; larger ones are handed on as they are.
    private static let copyLimit = 4 * 1024
    /// Leaves before the turn of the event loop is over.
    private static let turnLimit = 128 * 1024

    private let context: ChannelHandlerContext
    private var outgoing = ByteBuffer()
    private var unflushed = 0
    /// Bytes of all frames but DATA, which has windows, written since there was room last.
    private(set) var unread = 0
    private var flushIsScheduled = false

    init(context: ChannelHandlerContext) { self.context = context }

    func write(_ frame: Frame) {
        let before = outgoing.readableBytes
        outgoing.writeFrame(frame)
        let bytes = outgoing.readableBytes - before
        unread = context.channel.isWritable ? 0 : unread + bytes
        wrote(bytes)
    }

    /// Control messages are few, so they wait for no window; a long one is spread over frames.
    func write(_ message: ControlMessage) {
        var text = ByteBuffer(string: message.text)
        while let part = text.readSlice(length: min(text.readableBytes, FrameReader.maximumControl)), part.readableBytes > 0 {
            write(.control(part))
        }
    }

    func writeData(_ bytes: ByteBuffer, stream: UInt32) {
        outgoing.writeDataHeader(stream: stream, length: bytes.readableBytes)
        if bytes.readableBytes <= Self.copyLimit {
            outgoing.writeImmutableBuffer(bytes)
        } else {
            handOn()
            context.write(NIOAny(bytes), promise: nil)
        }
        wrote(bytes.readableBytes + FrameHeader.size)
    }

    func flush() {
        guard unflushed > 0 else { return }
        unflushed = 0
        handOn()
        context.flush()
    }

    private func handOn() {
        guard outgoing.readableBytes > 0 else { return }
        context.write(NIOAny(outgoing), promise: nil)
        // Free to be used again once TLS has taken it, else a new one.
        outgoing.clear()
    }

    private func wrote(_ bytes: Int) {
        unflushed += bytes
        if unflushed >= Self.turnLimit {
            flush()
        } else if !flushIsScheduled {
            flushIsScheduled = true
            context.eventLoop.assumeIsolated().execute {
                self.flushIsScheduled = false
                self.flush()
            }
        }
    }
}
