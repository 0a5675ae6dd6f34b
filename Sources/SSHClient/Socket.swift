import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A connected TCP socket. The connection's thread uses it; any thread may shut it down, which wakes that one.
final class Socket: Sendable {
    private struct State {
        var descriptor: Int32
        var isShutDown = false
    }
    private let state: Mutex<State>

    private init(descriptor: Int32) { state = Mutex(State(descriptor: descriptor)) }

    deinit { close() }

    var descriptor: Int32 { state.withLock { $0.descriptor } }
    /// Whether this side ended it.
    var isShutDown: Bool { state.withLock { $0.isShutDown } }

    /// Ends reads and writes under way. The descriptor stays taken until `close`, so that nobody else's can be hit.
    func shutDown() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            state.isShutDown = true
            _ = shutdown(state.descriptor, Int32(SHUT_RDWR))
        }
    }

    func close() {
        state.withLock { state in
            guard state.descriptor >= 0 else { return }
            #if canImport(Glibc)
                Glibc.close(state.descriptor)
            #else
                Darwin.close(state.descriptor)
            #endif
            state.descriptor = -1
            state.isShutDown = true
        }
    }

    /// Waits until the socket is ready for the poll events. False when the deadline came first.
    func wait(for events: Int16, until deadline: ContinuousClock.Instant) -> Bool {
        while true {
            let left = deadline - .now
            guard left > .zero else { return false }
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
            let count = poll(&entry, 1, Int32(clamping: min(milliseconds + 1, 3_600_000)))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return true }  // the next call on the socket reports it
        }
    }

    /// Connects to the first of the host's addresses that answers. `register` gets the socket before the wait, so that a
    /// cancellation can end it.
    static func connect(
        to target: SSHTarget, until deadline: ContinuousClock.Instant, register: (Socket) -> Void
    ) throws(SSHError) -> Socket {
        var hints = addrinfo()
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(target.host, String(target.port), &hints, &list)
        guard status == 0 else {
            throw .unreachable(target, reason: "its name cannot be resolved (\(String(cString: gai_strerror(status))))")
        }
        defer { freeaddrinfo(list) }
        var reason = "it has no address"
        var next = list
        while let address = next {
            next = address.pointee.ai_next
            switch open(address.pointee, until: deadline, register: register) {
            case .success(let socket): return socket
            case .failure(let failure): reason = failure.reason
            }
        }
        throw .unreachable(target, reason: reason)
    }

    private struct Failure: Error {
        var reason: String
        init(_ code: Int32) { reason = String(cString: strerror(code)) }
    }

    private static func open(
        _ address: addrinfo, until deadline: ContinuousClock.Instant, register: (Socket) -> Void
    ) -> Result<Socket, Failure> {
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { return .failure(Failure(errno)) }
        let socket = Socket(descriptor: descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else { return .failure(Failure(errno)) }
        socket.noticeDeadPeers()
        register(socket)
        #if canImport(Glibc)
            let status = Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen)
        #else
            let status = Darwin.connect(descriptor, address.ai_addr, address.ai_addrlen)
        #endif
        if status != 0 {
            guard errno == EINPROGRESS else { return .failure(Failure(errno)) }
            guard socket.wait(for: Int16(POLLOUT), until: deadline) else { return .failure(Failure(ETIMEDOUT)) }
            var code: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
            guard code == 0 else { return .failure(Failure(code)) }
        }
        return .success(socket)
    }

    /// A peer that lost its network is found out in half a minute, also while nothing is said. (One whose sshd hangs is not:
    /// for that every command has its deadline.)
    private func noticeDeadPeers() {
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        #if canImport(Glibc)
            set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 15)
            set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 5)
            set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
            set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 30_000)
        #endif
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        _ = setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
