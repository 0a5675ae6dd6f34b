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
