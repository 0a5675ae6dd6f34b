import NIOCore
import NIOEmbedded
import NIOHTTP2
import Testing

@testable import KubernetesClient

@Suite struct HTTP2KeepAliveTests {
    private func makeChannel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: HTTP2KeepAlive(interval: .seconds(30), timeout: .seconds(15)))
        channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 443), promise: nil)
        return channel
    }

    private func ping(_ channel: EmbeddedChannel) throws -> HTTP2PingData? {
        guard let frame = try channel.readOutbound(as: HTTP2Frame.self), case .ping(let data, ack: false) = frame.payload else {
            return nil
        }
        return data
    }

    @Test func `A server that answers is asked again, and kept`() throws {
        let channel = try makeChannel()
        for _ in 0..<3 {
            #expect(try ping(channel) == nil)
            channel.embeddedEventLoop.advanceTime(by: .seconds(30))
            let data = try #require(try ping(channel))
            channel.embeddedEventLoop.advanceTime(by: .seconds(14))
            try channel.writeInbound(HTTP2Frame(streamID: .rootStream, payload: .ping(data, ack: true)))
        }
        #expect(channel.isActive)
        _ = try? channel.finish()
    }

    @Test func `A server that does not answer is left`() throws {
        let channel = try makeChannel()
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(try ping(channel) != nil)
        // Somebody else's PING is no answer.
        try channel.writeInbound(HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 999), ack: true)))
        channel.embeddedEventLoop.advanceTime(by: .seconds(14))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }
}
