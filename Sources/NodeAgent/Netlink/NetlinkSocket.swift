import Glibc

/// Why the kernel did not do what it was asked.
public struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    public var operation: String
    public var errno: Int32
    public var description: String { "\(operation): \(String(cString: strerror(errno)))" }
}

/// A conversation with the kernel's rtnetlink. Blocking, for as long as the kernel takes.
struct NetlinkSocket: ~Copyable {
    private let descriptor: Int32
    private var sequence: UInt32 = 0

    init() throws(NetlinkError) {
        descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), Netlink.route)
        guard descriptor >= 0 else { throw NetlinkError(operation: "open an rtnetlink socket", errno: errno) }
        var limit = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Asks for a change and waits for its acknowledgement.
    mutating func change(_ operation: String, kind: UInt16, flags: UInt16 = 0, payload: [UInt8]) throws(NetlinkError) {
        try send(operation, kind: kind, flags: flags | Netlink.Flag.acknowledge, payload: payload)
        while true {
            for message in try receive(operation) where message.sequence == sequence {
                guard let code = message.errorCode else { continue }
                guard code == 0 else { throw NetlinkError(operation: operation, errno: code) }
                return
            }
        }
    }

    /// Asks for a list.
    mutating func dump(_ operation: String, kind: UInt16, payload: [UInt8]) throws(NetlinkError) -> [NetlinkMessage] {
        try send(operation, kind: kind, flags: Netlink.Flag.dump, payload: payload)
        var list: [NetlinkMessage] = []
        while true {
            for message in try receive(operation) where message.sequence == sequence {
                if message.kind == Netlink.Kind.done { return list }
                if let code = message.errorCode {
                    guard code == 0 else { throw NetlinkError(operation: operation, errno: code) }
                    continue
                }
                list.append(message)
            }
        }
    }

    private mutating func send(_ operation: String, kind: UInt16, flags: UInt16, payload: [UInt8]) throws(NetlinkError) {
        sequence &+= 1
        let bytes = NetlinkMessage(kind: kind, flags: flags | Netlink.Flag.request, sequence: sequence, payload: payload).encoded
        let sent = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, 0) }
        guard sent == bytes.count else { throw NetlinkError(operation: operation, errno: errno) }
    }

    private func receive(_ operation: String) throws(NetlinkError) -> [NetlinkMessage] {
        // The kernel fills at most 32 KiB of a dump at a time.
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count > 0 { return NetlinkMessage.decode(Array(buffer[..<count])) }
            if errno == EINTR { continue }
            throw NetlinkError(operation: operation, errno: count == 0 ? EPIPE : errno)
        }
    }
}
