import NIOCore
import NIOHTTP2

/// What Konnectivity's ends agree on, and how HTTP/2 is set up to speak with gRPC for Go.
public enum KonnectivityProtocol {
    /// Chosen by ALPN: gRPC's is HTTP/2's.
    public static let applicationProtocol = "h2"

    static let agentPath = "/AgentService/Connect"
    static let frontPath = "/ProxyService/Proxy"

    /// The names of the metadata, which HTTP/2 has in small letters.
    enum Metadata {
        static let agentID = "agentid"
        static let agentIdentifiers = "agentidentifiers"
        static let serverID = "serverid"
        static let serverCount = "servercount"
        static let authorization = "authorization"
    }

    /// How much of a stream of packets may be on its way: bandwidth times delay, as all connections share it.
    static let streamWindow = 4 * 1024 * 1024
    static let streamHighWatermark = 256 * 1024
    static let streamLowWatermark = 64 * 1024

    /// The most bytes that one DATA packet carries.
    static let chunk = 32 * 1024

    /// How long a CLOSE_REQ waits for its CLOSE_RSP: as long as upstream's client waits.
    static let closeTimeout = TimeAmount.seconds(10)
    /// Dials of one agent that have no answer yet.
    static let pendingDialLimit = 4_096

    static var connectionConfiguration: NIOHTTP2Handler.ConnectionConfiguration {
        var configuration = NIOHTTP2Handler.ConnectionConfiguration()
        configuration.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 4_096),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
            HTTP2Setting(parameter: .maxFrameSize, value: 64 * 1024),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 32 * 1024),
        ]
        // Refilled as frames arrive, so no stream holds it.
        configuration.targetWindowSize = 2 * streamWindow
        configuration.maximumRecentlyResetStreams = 4_096
        configuration.maximumConnectionGlitches = 10_000
        // gRPC for Go sends a PING each round trip while it receives (its estimate of bandwidth times delay): thousands a second
        // on a short way. The window is short because the limit's memory is set aside for each connection.
        configuration.controlFrameRateLimit.maximumCount = 2_000
        configuration.controlFrameRateLimit.windowLength = .milliseconds(100)
        return configuration
    }

    static var streamConfiguration: NIOHTTP2Handler.StreamConfiguration {
        var configuration = NIOHTTP2Handler.StreamConfiguration()
        configuration.targetWindowSize = streamWindow
        configuration.outboundBufferSizeHighWatermark = streamHighWatermark
        configuration.outboundBufferSizeLowWatermark = streamLowWatermark
        // Every cancelled call of a client that keeps its connection is a reset.
        configuration.streamResetFrameRateLimit.maximumCount = 1_000
        configuration.streamResetFrameRateLimit.windowLength = .seconds(1)
        configuration.streamErrorRateLimit.maximumCount = 1_000
        configuration.streamErrorRateLimit.windowLength = .seconds(1)
        return configuration
    }
}
