import NIOCore
import NIOEmbedded
import Testing

@testable import Tunnel

@Suite("A native connection whose other end does not keep to the rules")
struct CarrierTests {
    /// One end and its channel; with a `refusal` it refuses what it is asked for.
    private final class End {
        let channel = EmbeddedChannel()
        private(set) var asked: [CarrierStream] = []
        private(set) var error: (any Error)?
        private(set) var isClosed = false
        var refusal: DialFailure?

        init() throws {
            let carrier = Carrier(counters: TunnelCounters()) { [weak self] event in
                guard let self else { return }
                switch event {
                case .asked(let stream, _):
                    asked.append(stream)
                    if let refusal { stream.refuse(refusal) }
                case .closed(let first): (isClosed, error) = (true, first)
                case .control, .leaving: break
                }
            }
            try channel.pipeline.syncOperations.addHandler(carrier)
        }

        deinit { channel.close(promise: nil) }

        func send(_ frames: Frame...) {
            var bytes = ByteBuffer()
            for frame in frames { bytes.writeFrame(frame) }
            channel.pipeline.fireChannelRead(bytes)
            channel.pipeline.fireChannelReadComplete()
        }

        /// What left and was not read.
        func waiting() throws -> Int {
            channel.embeddedEventLoop.run()
            var bytes = 0
            while let buffer = try channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytes }
            return bytes
        }
    }

    @Test("DATA behind FINISH ends the connection")
    func dataBehindFinish() throws {
        let end = try End()
        end.send(.open(stream: 1, window: 100, target: "10.0.0.1:80"))
        try #require(end.asked.first).accept(countReceived: nil)
        end.send(.data(stream: 1, ByteBuffer(string: "bytes")), .finish(stream: 1))
        #expect(!end.isClosed)
        end.send(.data(stream: 1, ByteBuffer(string: "more")))
        #expect(end.error is FrameError)
    }

    @Test("A stream is opened once, also the last there could be", arguments: [7, UInt32.max])
    func openedTwice(stream: UInt32) throws {
        let end = try End()
        end.send(.open(stream: stream, window: 1, target: "10.0.0.1:80"), .open(stream: stream, window: 1, target: "10.0.0.1:80"))
        #expect(end.error is FrameError)
        #expect(end.asked.count <= 1)
    }

    @Test("A peer that reads nothing is not answered without end")
    func pings() throws {
        let end = try End()
        end.send(.ping(1))
        #expect(try end.waiting() > 0)
        end.channel.isWritable = false
        for token in 0..<1000 { end.send(.ping(UInt64(token))) }
        #expect(try end.waiting() == 0)
        #expect(!end.isClosed)
    }

    @Test("A peer that asks on and on and reads nothing loses its connection")
    func unread() throws {
        let end = try End()
        end.refusal = .forbidden(String(repeating: "x", count: 240))
        end.channel.isWritable = false
        var stream: UInt32 = 0
        while !end.isClosed, stream < 100_000 {
            stream += 1
            end.send(.open(stream: stream, window: 1, target: "10.0.0.1:80"))
        }
        #expect(end.error is PeerReadsNothing)
        #expect(try end.waiting() <= PeerReadsNothing.limit + 1024)
    }
}
