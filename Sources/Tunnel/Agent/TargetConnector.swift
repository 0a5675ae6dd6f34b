import Glibc
import NIOCore
import NIOPosix

/// Dials targets for the cluster: resolves names, keeps to the policy, gives up in time.
final class TargetConnector: Sendable {
    private let policy: DialPolicy
    /// `getaddrinfo` blocks for as long as it likes, and must not keep others from their work.
    private let resolvers: NIOThreadPool

    init(policy: DialPolicy, resolvers: NIOThreadPool) {
        self.policy = policy
        self.resolvers = resolvers
    }

    /// Fails with a `DialFailure`.
    func connect(
        _ target: Endpoint, on eventLoop: any EventLoop, initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        let deadline = NIODeadline.now() + NativeProtocol.dialTimeout
        return resolve(target, on: eventLoop).flatMap { addresses in
            var usable: [SocketAddress] = []
            var refusal: String?
            for address in addresses {
                guard let ip = address.ip else { continue }
                if let reason = self.policy.refusal(of: ip) { refusal = "\(ip) is \(reason)" } else { usable.append(address) }
            }
            guard !usable.isEmpty else {
                let reason = refusal.map { "a node's agent does not dial it: \($0)" } ?? "no address of that name can be dialled"
                return eventLoop.makeFailedFuture(DialFailure.forbidden(reason))
            }
            return self.connect(usable[...], on: eventLoop, deadline: deadline, initializer: initializer)
        }
    }

    private func connect(
        _ addresses: ArraySlice<SocketAddress>, on eventLoop: any EventLoop, deadline: NIODeadline,
        initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
    ) -> EventLoopFuture<any Channel> {
        guard let address = addresses.first else {
            return eventLoop.makeFailedFuture(DialFailure.badGateway("nothing left to try"))
        }
        let rest = addresses.dropFirst()
        let remaining = deadline - .now()
        guard remaining > .nanoseconds(0) else { return eventLoop.makeFailedFuture(DialFailure.timeout("timed out")) }
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(remaining.nanoseconds / Int64(addresses.count)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.maxMessagesPerRead, value: SocketEnd.readsPerTurn)
            .channelOption(.recvAllocator, value: SocketEnd.readBuffers)
            .channelOption(.writeBufferWaterMark, value: SocketEnd.watermark)
            .channelInitializer(initializer)
        return bootstrap.connect(to: address).flatMapError { error in
            guard rest.isEmpty else { return self.connect(rest, on: eventLoop, deadline: deadline, initializer: initializer) }
            return eventLoop.makeFailedFuture(Self.failure(error))
        }
    }

    private static func failure(_ error: any Error) -> DialFailure {
        switch error {
        case let error as DialFailure: error
        case ChannelError.connectTimeout: .timeout("the node could not connect to it in time")
        case let error as IOError: .badGateway(String(cString: strerror(error.errnoCode)))
        default: .badGateway("\(error)")
        }
    }

    private func resolve(_ target: Endpoint, on eventLoop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        if target.address != nil {
            return eventLoop.makeCompletedFuture { [try SocketAddress(ipAddress: target.host, port: target.port)] }
        }
        let names = resolvers.runIfActive(eventLoop: eventLoop) {
            [try SocketAddress.makeAddressResolvingHost(target.host, port: target.port)]
        }
        return names.flatMapErrorThrowing { _ in
            throw DialFailure.badGateway("no such host: the node finds no address for the name \(target.host)")
        }
    }
}

extension SocketAddress {
    /// The address without its port; nil for a Unix socket.
    public var ip: IPAddress? { ipAddress.flatMap { IPAddress($0.split(separator: "%").first ?? "") } }
}
