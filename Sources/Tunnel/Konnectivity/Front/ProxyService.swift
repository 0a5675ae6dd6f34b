import Logging
import NIOCore
import NIOHTTP2

/// Serves a connection of kube-apiserver's gRPC dialer: HTTP/2 without TLS, one `ProxyService/Proxy` call for each connection.
///
/// Clients of 1.20 to 1.36 open a connection for each call, later ones make their calls on one.
struct ProxyService {
    let dialer: any Dialer
    let limits: FrontLimits
    let counters: TunnelCounters
    let logger: Logger

    func serve(_ channel: any Channel) throws {
        // kube-apiserver's host is this one, or near: the kernel knows when it is gone.
        _ = try HTTP2Ends.install(
            on: channel, mode: .server, patience: nil,
            onEvent: { event in
                if case .closed(let error?) = event { logger.debug("a client's connection broke", metadata: ["error": "\(error)"]) }
            },
            inboundStream: { stream in
                let call = ProxyCall(dialer: dialer, limits: limits, counters: counters, logger: logger)
                try stream.pipeline.syncOperations.addHandler(call.channel)
            })
    }
}
