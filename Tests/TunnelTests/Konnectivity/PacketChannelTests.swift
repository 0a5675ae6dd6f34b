import NIOCore
import NIOEmbedded
import NIOHTTP2
import Testing

@testable import Tunnel

@Suite("A call that carries packets")
struct PacketChannelTests {
    @Test("A peer that has us answer on and on and reads nothing loses its call")
    func unread() throws {
        final class Call {
            var channel: PacketChannel?
            var error: (any Error)?
            var isClosed = false
        }
        let call = Call()
        let words = String(repeating: "x", count: 4096)
        let packets = PacketChannel { event in
            switch event {
            case .packet: call.channel?.send(.closeResponse(connectID: 1, error: words))
            case .closed(let error): (call.isClosed, call.error, call.channel) = (true, error, nil)
            default: break
            }
        }
        call.channel = packets
        let channel = EmbeddedChannel()
        defer { channel.close(promise: nil) }
        try channel.pipeline.syncOperations.addHandler(packets)
        channel.isWritable = false

        var burst = ByteBuffer()
        for _ in 0..<100 { KonnectivityPacket.data(connectID: 1, ByteBuffer()).write(to: &burst) }
        var bursts = 0
        while !call.isClosed, bursts < 1000 {
            bursts += 1
            channel.pipeline.fireChannelRead(HTTP2Frame.FramePayload.data(.init(data: .byteBuffer(burst))))
        }
        #expect(call.error is PeerReadsNothing)
        var waiting = 0
        while let payload = try channel.readOutbound(as: HTTP2Frame.FramePayload.self) {
            if case .data(let frame) = payload { waiting += frame.data.readableBytes }
        }
        #expect(waiting <= PeerReadsNothing.limit + 101 * (words.utf8.count + 32))
    }
}
