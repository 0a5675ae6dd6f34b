import Glibc

/// A Unix socket as the kernel gives it, for what a library's buffers would hide.
final class RawSocket: @unchecked Sendable {
    // Sendable: the descriptor is set once, and each test uses it from one place at a time.
    struct Failure: Error {
        var operation: String
        var code: Int32
    }

    private var descriptor: Int32

    init(path: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(operation: "socket", code: errno) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard result == 0 else { throw Failure(operation: "connect", code: errno) }
    }

    deinit { close() }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    func write(_ text: String) throws {
        guard Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL)) == text.utf8.count else {
            throw Failure(operation: "send", code: errno)
        }
    }

    /// Writes until nobody has taken anything for half a second; returns how much was taken.
    func writeUntilFull(limit: Int) async throws -> Int {
        let block = [UInt8](repeating: 2, count: 64 * 1024)
        var total = 0
        var last = ContinuousClock.now
        while total < limit, ContinuousClock.now - last < .milliseconds(500) {
            let count = Glibc.send(descriptor, block, block.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            if count > 0 {
                total += count
                last = .now
            } else {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
        return total
    }

    var hasInput: Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&poll, 1, 0) > 0
    }

    func read(_ limit: Int) throws -> String {
        var buffer = [UInt8](repeating: 0, count: limit)
        let count = recv(descriptor, &buffer, limit, 0)
        guard count >= 0 else { throw Failure(operation: "recv", code: errno) }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}

/// A TCP port that takes no more connections and refuses none: the kernel drops what asks for one.
final class SilentTarget: Sendable {
    let port: Int
    private let descriptors: [Int32]

    init() throws {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var descriptors = [listener]
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 0) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        guard isBound else {
            close(listener)
            self.descriptors = []
            throw RawSocket.Failure(operation: "listen", code: errno)
        }
        // A queue of no length holds one; a few more make sure that it is full.
        for _ in 0..<4 {
            let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            descriptors.append(client)
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, length) }
            }
        }
        self.descriptors = descriptors
    }

    deinit { for descriptor in descriptors { close(descriptor) } }
}
