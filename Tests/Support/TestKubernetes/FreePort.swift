import NIOCore
import NIOPosix
import Synchronization

/// A TCP port of loopback that nobody listens on at this moment.
public func freePort() async throws -> Int {
    while true {
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        try await channel.close()
        if givenPorts.withLock({ $0.insert(port).inserted }) { return port }
    }
}

/// No port is given twice: of two servers that start at once, the second would take the first's answer for its own.
private let givenPorts = Mutex<Set<Int>>([])
