import NIOCore
import NIOHTTP2

/// What the two ends of the native transport agree on.
///
/// The agent dials TCP and TLS with its client certificate. Then the roles turn: the agent is the HTTP/2 server, and the tunnel
/// server opens a CONNECT stream for each tunnelled connection (RFC 9113, 8.5) and one POST stream that carries control messages.
public enum NativeProtocol {
    /// Chosen by ALPN, so that `h2` on the same port stays free for the transport of others.
    public static let applicationProtocol = "nestbox-tunnel/1"

    static let controlPath = "/nestbox.tunnel.v1/control"
    /// Says why a dial failed, beside a status that is not 200.
    static let causeHeader = "nestbox-cause"

    /// A connection that cannot be dialled within this is refused by the agent, while the server still waits.
    static let dialTimeout = TimeAmount.seconds(5)
    /// How long the whole handshake may take: TCP, TLS and the first settings.
    static let handshakeTimeout = TimeAmount.seconds(10)
    static let pingInterval = TimeAmount.seconds(6)
    /// A peer that sent nothing for this long, though pinged, is dead; looked at four times a `pingInterval`, so within 17 s.
    static let silenceLimit = TimeAmount.seconds(15)

    /// Bytes in flight to one slow reader.
    static let streamWindow = 512 * 1024
    /// Refilled as frames arrive, so one slow stream does not hold it: it only has to cover bandwidth times delay.
    static let connectionWindow = 32 * 1024 * 1024
    static let maximumStreams = 16_384
    static let maximumFrame = 64 * 1024
    static let streamHighWatermark = 256 * 1024
    static let streamLowWatermark = 64 * 1024
    static let connectionWatermark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 * 1024, high: 512 * 1024)

    static var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: maximumStreams),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: maximumFrame),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 16 * 1024),
        ]
        configuration.targetWindowSize = connectionWindow
        // Tunnelled connections come and go by the hundred a second, and every one that breaks is a reset stream: the limits of a
        // public web server would end the connection of all others.
        configuration.maximumRecentlyResetStreams = maximumStreams
        configuration.maximumConnectionGlitches = 100_000
        configuration.controlFrameRateLimit.maximumCount = 2_000
        return configuration
    }

    static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        configuration.outboundBufferSizeHighWatermark = streamHighWatermark
        configuration.outboundBufferSizeLowWatermark = streamLowWatermark
        configuration.streamResetFrameRateLimit.maximumCount = 100_000
        configuration.streamErrorRateLimit.maximumCount = 100_000
        return configuration
    }
}
