import CSSH2

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A TCP connection that a jump host made for us: a channel of its session, which carries the bytes of another session.
///
/// The two sessions live on one thread. libssh2 asks for bytes of the inner one, and is given what the outer one's channel has,
/// never waiting: buffers of its own on both sides, so that a packet of the outer session that is half sent is always finished
/// before anything else is asked of it, whatever the inner one does next.
final class ForwardedChannel {
    /// Of the jump host.
    private let session: SSHSession
    private let channel: OpaquePointer
    /// Bounded by `limit`.
    private var inbound: [UInt8] = []
    private var outbound: [UInt8] = []
    /// The piece of `outbound` that libssh2 was given: the same again until it is taken.
    private var piece: [UInt8] = []
    private var isEnded = false
    private static let limit = 256 * 1024

    /// Has the jump host connect to the target.
    init(to target: SSHTarget, over session: SSHSession, timeout: Duration) throws {
        let operation = SSHSession.Operation("a connection to \(target)", timeout: timeout)
        self.session = session
        do {
            channel = try session.performPointer(operation) {
                libssh2_channel_direct_tcpip_ex(session.pointer, target.host, Int32(target.port), "127.0.0.1", 22)
            }
        } catch let error as SSHError {
            guard case .connectionLost = error, libssh2_session_last_errno(session.pointer) == LIBSSH2_ERROR_CHANNEL_FAILURE
            else {
                throw error
            }
            throw SSHError.unreachable(
                target, reason: "the jump host cannot or may not connect to it (\(session.lastError(Int(LIBSSH2_ERROR_CHANNEL_FAILURE))))")
        }
    }

    deinit {
        // Its session may be gone for good; then this only frees memory.
        libssh2_channel_free(channel)
    }

    /// What the inner session is to be told of the line: nothing will come any more.
    private var isOver: Bool { isEnded || session.socket.isShutDown }

    /// Moves what can be moved without waiting.
    private func pump() {
        flush()
        guard piece.isEmpty || !session.mustSendFirst else { return }
        while inbound.count < Self.limit, !isOver {
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 32 * 1024) { buffer, initialized in
                buffer.withMemoryRebound(to: CChar.self) { result = libssh2_channel_read_ex(channel, 0, $0.baseAddress, $0.count) }
                initialized = max(0, result)
            }
            if result > 0 {
                inbound += bytes
            } else if result == Int(LIBSSH2_ERROR_EAGAIN) {
                return
            } else {
                if result < 0 || libssh2_channel_eof(channel) == 1 { isEnded = true }
                return
            }
        }
    }

    private func flush() {
        while !isOver {
            if piece.isEmpty {
                guard !outbound.isEmpty else { return }
                swap(&piece, &outbound)
            }
            let result = piece.withUnsafeBytes { bytes in
                libssh2_channel_write_ex(channel, 0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
            }
            if result > 0 {
                piece.removeFirst(result)
            } else {
                if result < 0, result != Int(LIBSSH2_ERROR_EAGAIN) { isEnded = true }
                return
            }
        }
    }

    /// As recv(2): how many bytes, 0 at the end, a negative errno.
    func receive(_ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        if inbound.isEmpty { pump() }
        guard !inbound.isEmpty else { return isOver ? 0 : -Int(EAGAIN) }
        let taken = min(count, inbound.count)
        inbound.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            buffer.copyMemory(from: base, byteCount: taken)
        }
        inbound.removeFirst(taken)
        return taken
    }

    /// As send(2).
    func send(_ buffer: UnsafeRawPointer, _ count: Int) -> Int {
        if isOver { return -Int(EPIPE) }
        let room = Self.limit - outbound.count
        if room > 0 { outbound += UnsafeRawBufferPointer(start: buffer, count: min(count, room)) }
        pump()
        if isOver { return -Int(EPIPE) }
        return room > 0 ? min(count, room) : -Int(EAGAIN)
    }

    /// What to poll the jump host's socket for before the inner session can go on, which waits for these of its own; nil when it
    /// can at once.
    func events(for wanted: Int16) -> Int16? {
        pump()
        if isOver { return nil }
        if wanted & Int16(POLLIN) != 0, !inbound.isEmpty { return nil }
        if wanted & Int16(POLLOUT) != 0, outbound.count < Self.limit { return nil }
        // Also while only sending: the jump host's window opens by what it says.
        return Int16(POLLIN) | (session.mustSendFirst ? Int16(POLLOUT) : 0)
    }
}
