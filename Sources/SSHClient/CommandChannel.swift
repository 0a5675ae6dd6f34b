import CSSH2

/// One remote command: a channel from its opening to its exit status.
struct CommandChannel {
    let session: SSHSession
    private let channel: OpaquePointer
    private var stdout: BoundedOutput
    private var stderr: BoundedOutput

    /// Opens a channel, starts the command, feeds and reads it to the end.
    static func run(
        _ command: String, input: CommandInput, operation: SSHSession.Operation, outputLimit: Int, session: SSHSession,
        isStalling: Bool = false, progress: ((Int) -> Void)? = nil
    ) throws -> CommandResult {
        let window: UInt32 = 2 * 1024 * 1024  // LIBSSH2_CHANNEL_WINDOW_DEFAULT, a macro Swift does not see
        let packet = UInt32(LIBSSH2_CHANNEL_PACKET_DEFAULT)
        let channel = try session.performPointer(operation) {
            libssh2_channel_open_ex(session.pointer, "session", 7, window, packet, nil, 0)
        }
        defer { libssh2_channel_free(channel) }
        var run = CommandChannel(
            session: session, channel: channel, stdout: BoundedOutput(limit: outputLimit), stderr: BoundedOutput(limit: outputLimit))
        let started = try session.perform(operation) {
            Int(libssh2_channel_process_startup(channel, "exec", 4, command, UInt32(command.utf8.count)))
        }
        guard started == 0 else { throw session.failure(operation, started) }
        try run.converse(input, operation, isStalling: isStalling, progress: progress)
        return try run.result(operation)
    }

    /// Writes and reads until the remote end has said all. With `isStalling` the deadline counts from the last byte written.
    private mutating func converse(
        _ input: CommandInput, _ operation: SSHSession.Operation, isStalling: Bool, progress: ((Int) -> Void)?
    ) throws {
        var input = input
        var operation = operation
        var inputIsOpen = true
        while true {
            if inputIsOpen {
                switch try write(&input, operation) {
                case .wrote:
                    if isStalling { operation.extend() }
                    progress?(input.total)
                case .blockedOnSocket:
                    // A packet is half sent: no other call may come in between.
                    try session.wait(operation)
                    continue
                case .blockedOnWindow: break
                case .ended: inputIsOpen = false
                }
            }
            let heard = try read(0, into: \.stdout, operation) + read(SSH_EXTENDED_DATA_STDERR, into: \.stderr, operation)
            if libssh2_channel_eof(channel) == 1 { return }
            if heard == 0, !(inputIsOpen && !session.mustSendFirst && libssh2_channel_window_write_ex(channel, nil) > 0) {
                try session.wait(operation)
            }
        }
    }

    private enum Progress { case wrote, blockedOnSocket, blockedOnWindow, ended }

    private func write(_ input: inout CommandInput, _ operation: SSHSession.Operation) throws -> Progress {
        do {
            guard try input.hasMore() else {
                let result = try session.perform(operation) { Int(libssh2_channel_send_eof(channel)) }
                // A command that has ended already wants no end of its input.
                guard result == 0 || result == Int(LIBSSH2_ERROR_CHANNEL_CLOSED) else { throw session.failure(operation, result) }
                return .ended
            }
        } catch let failure as OpenFile.Failure {
            // Half a file must not look like a whole one: without the rest, the connection goes.
            session.socket.shutDown()
            throw failure
        }
        let result = input.write { libssh2_channel_write_ex(channel, 0, $0, $1) }
        switch result {
        case 1...: return .wrote
        case 0: return .blockedOnWindow
        case Int(LIBSSH2_ERROR_EAGAIN): return session.mustSendFirst ? .blockedOnSocket : .blockedOnWindow
        case Int(LIBSSH2_ERROR_CHANNEL_CLOSED), Int(LIBSSH2_ERROR_CHANNEL_EOF_SENT): return .ended
        default: throw session.failure(operation, result)
        }
    }

    /// Reads all there is of a stream. Returns how much.
    private mutating func read(
        _ stream: Int32, into output: WritableKeyPath<CommandChannel, BoundedOutput>, _ operation: SSHSession.Operation
    ) throws -> Int {
        var total = 0
        while true {
            var result = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 32 * 1024) { buffer, initialized in
                buffer.withMemoryRebound(to: CChar.self) { result = libssh2_channel_read_ex(channel, stream, $0.baseAddress, $0.count) }
                initialized = max(0, result)
            }
            switch result {
            case 1...:
                total += result
                self[keyPath: output].append(bytes)
            case 0: return total
            case Int(LIBSSH2_ERROR_EAGAIN):
                guard session.mustSendFirst else { return total }
                try session.wait(operation)
            default: throw session.failure(operation, result)
            }
        }
    }

    private mutating func result(_ operation: SSHSession.Operation) throws -> CommandResult {
        let closed = try session.perform(operation) { Int(libssh2_channel_close(channel)) }
        guard closed == 0 else { throw session.failure(operation, closed) }
        _ = try session.perform(operation) { Int(libssh2_channel_wait_closed(channel)) }
        let signal = exitSignal()
        let (out, err) = (stdout.finish(), stderr.finish())
        return CommandResult(
            status: signal == nil ? libssh2_channel_get_exit_status(channel) : 128, signal: signal, stdout: out, stderr: err,
            truncated: stdout.dropped || stderr.dropped)
    }

    private func exitSignal() -> String? {
        var name: UnsafeMutablePointer<CChar>?
        guard libssh2_channel_get_exit_signal(channel, &name, nil, nil, nil, nil, nil) == 0, let name else { return nil }
        defer { libssh2_free(session.pointer, name) }
        return String(cString: name)
    }
}
