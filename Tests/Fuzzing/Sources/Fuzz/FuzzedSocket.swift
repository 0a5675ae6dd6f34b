import NIOCore
import NIOEmbedded

@testable import Tunnel

/// A socket with a relay's end in front, both real but for the kernel: what it reads and how fast it takes what is written is the
/// input's to say. What is read is a pattern of the socket's own, so that what its partner writes can be told to be all of it, once
/// and in order.
final class FuzzedSocket: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private static let period = 65_521
    static let largestRead = 128 * 1024
    private static let pattern = ByteBuffer(bytes: (0..<(period + largestRead)).map { UInt8(truncatingIfNeeded: $0 % period * 31 >> 3) })
    private static let watermark = 256 * 1024

    let end = SocketEnd(isPlain: false)
    private let channel: EmbeddedChannel
    private let checksPattern: Bool
    private var context: ChannelHandlerContext?
    private(set) var wantsRead = false
    private(set) var inputEnded = false
    private(set) var outputEnded = false
    private(set) var isClosed = false
    private(set) var wasReset = false
    private(set) var bytesRead = 0
    private(set) var bytesWritten = 0
    private var unwritten: [(count: Int, promise: EventLoopPromise<Void>?)] = []
    private(set) var unwrittenBytes = 0

    init(on loop: EmbeddedEventLoop, checksPattern: Bool = true) throws {
        self.checksPattern = checksPattern
        channel = EmbeddedChannel(loop: loop)
        try channel.pipeline.syncOperations.addHandlers([self, end])
        _ = try channel.connect(to: SocketAddress(ipAddress: "10.0.0.1", port: 1))
    }

    // MARK: What the kernel does

    var mayRead: Bool { wantsRead && !inputEnded && !isClosed }

    func reads(_ count: Int) {
        guard mayRead, count > 0, let bytes = Self.pattern.getSlice(at: bytesRead % Self.period, length: count) else { return }
        wantsRead = false
        bytesRead += count
        channel.pipeline.fireChannelRead(bytes)
        channel.pipeline.fireChannelReadComplete()
    }

    func readsEnd() {
        guard mayRead else { return }
        (wantsRead, inputEnded) = (false, true)
        channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        channel.pipeline.fireChannelReadComplete()
        // As NIO does when both ways are at their end.
        if outputEnded { channel.close(promise: nil) }
    }

    func breaks() {
        guard !isClosed else { return }
        wasReset = true
        channel.pipeline.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
    }

    /// Takes at least so many of the bytes that wait, in whole writes.
    func takes(_ count: Int) {
        var left = count
        while left >= 0, !unwritten.isEmpty, !isClosed {
            let write = unwritten.removeFirst()
            unwrittenBytes -= write.count
            bytesWritten += write.count
            left -= max(write.count, 1)
            write.promise?.succeed()
        }
        tellWritability()
    }

    private func tellWritability() {
        let isWritable = unwrittenBytes < Self.watermark
        guard isWritable != channel.isWritable, !isClosed else { return }
        channel.isWritable = isWritable
        channel.pipeline.fireChannelWritabilityChanged()
    }

    /// Ends the case.
    func close() { channel.close(promise: nil) }

    // MARK: What the relay's end does

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) { wantsRead = true }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let bytes = unwrapOutboundIn(data)
        guard !isClosed else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        check(!outputEnded || bytes.readableBytes == 0, "\(bytes.readableBytes) bytes behind the end")
        let offset = (bytesWritten + unwrittenBytes) % Self.period
        if checksPattern, bytes.readableBytes <= Self.largestRead {
            check(Self.pattern.getSlice(at: offset, length: bytes.readableBytes) == bytes, "bytes are lost, changed or come twice")
        }
        unwritten.append((bytes.readableBytes, promise))
        unwrittenBytes += bytes.readableBytes
        check(unwrittenBytes <= Self.watermark + ReceiveWindow.maximum + Self.largestRead, "\(unwrittenBytes) bytes wait for a socket")
        tellWritability()
    }

    func flush(context: ChannelHandlerContext) {}

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event is SocketReset.Request { wasReset = true }
        close(context: context, mode: .all, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard !isClosed else {
            promise?.fail(ChannelError.alreadyClosed)
            return
        }
        if mode == .output {
            check(unwritten.isEmpty, "the output is closed while \(unwrittenBytes) bytes wait to be written")
            outputEnded = true
            guard inputEnded else {
                promise?.succeed()
                return
            }
        }
        isClosed = true
        let last = unwritten
        unwritten = []
        unwrittenBytes = 0
        for write in last { write.promise?.fail(ChannelError.ioOnClosedChannel) }
        context.close(promise: promise)
    }
}

extension FuzzedSocket: CustomStringConvertible {
    var description: String {
        "read \(bytesRead)\(inputEnded ? " to the end" : wantsRead ? " and reading" : ""), wrote \(bytesWritten) of "
            + "\(bytesWritten + unwrittenBytes)\(outputEnded ? " and the end" : "")\(isClosed ? ", closed" : "")\(wasReset ? ", reset" : "")"
    }

    /// One thing that may happen to a socket.
    func step(_ input: inout Input, mayBreak: Bool) {
        switch input.byte() & 7 {
        case 0...2: reads(input.size(upTo: Self.largestRead))
        case 3...5: takes(input.size(upTo: 4 * Self.largestRead))
        case 6: readsEnd()
        default: if mayBreak, input.byte() & 7 == 7 { breaks() }
        }
    }
}
