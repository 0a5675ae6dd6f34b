import NIOCore

/// What the two ends of the native transport agree on.
///
/// The agent dials TCP and TLS with its client certificate, and ALPN chooses this protocol. Behind TLS both ends send frames: eight
/// bytes of header (`FrameHeader`) and a payload.
///
/// | Frame | Payload | Says |
/// |---|---|---|
/// | OPEN | window (32 bits), `HOST:PORT` | server to agent: dial this; I take so many bytes of it |
/// | OPENED | window (32 bits) | it is connected; I take so many bytes |
/// | REFUSED | HTTP status (16 bits), text | it is not, and why; the stream is over |
/// | DATA | bytes | no more than the other end granted |
/// | WINDOW | increment (32 bits) | I take so many bytes more |
/// | FINISH | | I send nothing more; once both ends said so the stream is over |
/// | RESET | | the stream is over |
/// | PING, PONG | token (64 bits) | are you there? I am |
/// | LEAVING | text | I take no new streams, and why |
/// | CONTROL | text | `ControlMessage`s |
///
/// A stream's reader grants what it takes (`ReceiveWindow`), so what waits for a slow one is bounded and the connection is always
/// read. Streams are numbered upwards by the end that opens them; frames of a stream that is over are passed over, as they may
/// have crossed its end. Frames of unknown types are passed over.
public enum NativeProtocol {
    /// Chosen by ALPN, so that `h2` on the same port stays free for the transport of others.
    public static let applicationProtocol = "nestbox-tunnel/2"

    /// A connection that cannot be dialled within this is refused by the agent, while the server still waits.
    static let dialTimeout = TimeAmount.seconds(5)
    /// How long TCP and TLS may take.
    static let handshakeTimeout = TimeAmount.seconds(10)
    static let maximumStreams = 16_384
    static let connectionWatermark = ChannelOptions.Types.WriteBufferWaterMark(low: 256 * 1024, high: 512 * 1024)
}
