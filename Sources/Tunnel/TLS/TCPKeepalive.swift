import NIOCore
import NIOPosix

/// How the kernel finds out that the other end is gone without a word: one that lost its power sends no FIN.
package struct TCPKeepalive: Sendable {
    /// Seconds of silence before it asks (TCP_KEEPIDLE), and between its questions (TCP_KEEPINTVL).
    package var idle: Int
    package var interval: Int
    /// Milliseconds without an acknowledgement after which it gives up (TCP_USER_TIMEOUT).
    package var timeout: Int

    package init(idle: Int, interval: Int, timeout: Int) {
        self.idle = idle
        self.interval = interval
        self.timeout = timeout
    }

    package func apply(to bootstrap: ClientBootstrap) -> ClientBootstrap {
        // Linux's numbers (netinet/tcp.h), which NIO has no names for.
        bootstrap
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.tcpOption(.init(rawValue: 4)), value: .init(idle))
            .channelOption(.tcpOption(.init(rawValue: 5)), value: .init(interval))
            .channelOption(.tcpOption(.init(rawValue: 18)), value: .init(timeout))
    }
}
