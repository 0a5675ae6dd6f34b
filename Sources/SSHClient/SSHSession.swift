import CSSH2

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A libssh2 session on a socket: turns its "try again" into waiting with a deadline, and its codes into sentences.
/// Belongs to one thread.
final class SSHSession {
    let target: SSHTarget
    let socket: Socket
    let pointer: OpaquePointer
    /// What carries its bytes, where that is not the socket itself but a channel of the jump host's session on it.
    private let carrier: ForwardedChannel?

    init(target: SSHTarget, socket: Socket, through carrier: ForwardedChannel? = nil) throws(SSHError) {
        // Not retained by libssh2: the session below keeps it, and outlives every call of these two.
        let abstract = carrier.map { Unmanaged.passUnretained($0).toOpaque() }
        guard let pointer = libssh2_session_init_ex(nil, nil, nil, abstract) else { throw .library("libssh2 is out of memory") }
        self.target = target
        self.socket = socket
        self.pointer = pointer
        self.carrier = carrier
        libssh2_session_set_blocking(pointer, 0)
        if carrier != nil { carryByChannel() }
    }

    private typealias Abstract = UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    private typealias Receive = @convention(c) (Int32, UnsafeMutableRawPointer?, Int, Int32, Abstract) -> Int
    private typealias Send = @convention(c) (Int32, UnsafeRawPointer?, Int, Int32, Abstract) -> Int

    /// Has libssh2 receive and send by the carrier.
    private func carryByChannel() {
        let receive: Receive = { _, buffer, count, _, abstract in
            guard let buffer, let carrier = abstract?.pointee else { return -Int(EBADF) }
            return Unmanaged<ForwardedChannel>.fromOpaque(carrier).takeUnretainedValue().receive(buffer, count)
        }
        let send: Send = { _, buffer, count, _, abstract in
            guard let buffer, let carrier = abstract?.pointee else { return -Int(EBADF) }
            return Unmanaged<ForwardedChannel>.fromOpaque(carrier).takeUnretainedValue().send(buffer, count)
        }
        libssh2_session_callback_set(pointer, LIBSSH2_CALLBACK_RECV, unsafeBitCast(receive, to: UnsafeMutableRawPointer.self))
        libssh2_session_callback_set(pointer, LIBSSH2_CALLBACK_SEND, unsafeBitCast(send, to: UnsafeMutableRawPointer.self))
    }

    deinit {
        // Shut down first: freeing would otherwise try to say goodbye, which may want to wait.
        socket.shutDown()
        libssh2_session_free(pointer)
        // A jump host's session closes its own.
        if carrier == nil { socket.close() }
    }

    /// A step with its deadline, named for errors.
    struct Operation {
        let name: String
        let timeout: Duration
        private(set) var deadline: ContinuousClock.Instant

        init(_ name: String, timeout: Duration) {
            self.name = name
            self.timeout = timeout
            deadline = .now + timeout
        }

        /// Counts the timeout from now on.
        mutating func extend() { deadline = .now + timeout }
    }

    /// Repeats a call while it says EAGAIN, waiting in between. Returns its result, which may be an error.
    func perform(_ operation: Operation, _ call: () -> Int) throws -> Int {
        while true {
            let result = call()
            guard result == Int(LIBSSH2_ERROR_EAGAIN) else { return result }
            try wait(operation)
        }
    }

    /// Repeats a call that returns a pointer while it would block.
    func performPointer(_ operation: Operation, _ call: () -> OpaquePointer?) throws -> OpaquePointer {
        while true {
            if let result = call() { return result }
            let code = libssh2_session_last_errno(pointer)
            guard code == LIBSSH2_ERROR_EAGAIN else { throw failure(operation, Int(code)) }
            try wait(operation)
        }
    }

    /// Whether libssh2 has a packet half sent: then only the same call may be repeated.
    var mustSendFirst: Bool { libssh2_session_block_directions(pointer) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 }

    /// Waits for what libssh2 last blocked on.
    func wait(_ operation: Operation) throws {
        if socket.isShutDown { throw CancellationError() }
        let directions = libssh2_session_block_directions(pointer)
        var events: Int32 = 0
        if directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0 { events |= POLLIN }
        if directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 { events |= POLLOUT }
        if events == 0 { events = POLLIN }
        var polled = Int16(events)
        if let carrier {
            guard let outer = carrier.events(for: polled) else {
                // What never comes to an end, though every call goes forward, must end here too.
                guard operation.deadline > .now else { throw timedOut(operation) }
                return
            }
            polled = outer
        }
        guard socket.wait(for: polled, until: operation.deadline) else { throw timedOut(operation) }
        if socket.isShutDown { throw CancellationError() }
    }

    private func timedOut(_ operation: Operation) -> SSHError {
        socket.shutDown()
        return .timeout(target, operation: operation.name, after: operation.timeout)
    }

    /// The error for a result that is not EAGAIN.
    func failure(_ operation: Operation, _ code: Int) -> any Error {
        if socket.isShutDown { return CancellationError() }
        return SSHError.connectionLost(target, operation: operation.name, reason: lastError(code))
    }

    /// libssh2's words for its last error.
    func lastError(_ code: Int) -> String {
        var message: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        libssh2_session_last_error(pointer, &message, &length, 0)
        let text = message.map { String(cString: $0) } ?? ""
        return text.isEmpty ? "libssh2 error \(code)" : "\(text) (libssh2 error \(code))"
    }
}
