import CSSH2
import Logging
import Synchronization

/// A connection to one server as one user. One command at a time: more wait their turn.
///
/// It has a thread of its own, on which libssh2 is never asked to block and waiting is `poll(2)` with a deadline.
/// A command that is cancelled or times out takes the connection with it: nobody could say what the channel carries next.
public actor SSHConnection {
    /// Where it goes.
    public nonisolated let target: SSHTarget
    private nonisolated let executor: ThreadExecutor
    private nonisolated let line = Line()
    private let logger: Logger
    private var session: SSHSession?
    private var presented: HostKey?
    private var presentedByJumpHost: HostKey?

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(target: SSHTarget, logger: Logger) throws(SSHError) {
        try SSHLibrary.initialize()
        self.target = target
        self.logger = logger
        executor = try ThreadExecutor()
    }

    /// Connects, checks the host key, and authenticates; each of the three within the timeout.
    /// - Parameter jumpHost: what passes the connection on, where the target cannot be reached from here; it is treated in the
    ///   same way, and sees only what is encrypted for the target.
    public static func connect(
        to target: SSHTarget, key: SSHPrivateKey, hostKey policy: HostKeyPolicy, through jumpHost: SSHJumpHost? = nil,
        timeout: Duration = .seconds(15), logger: Logger
    ) async throws -> SSHConnection {
        var (target, jumpHost) = (target, jumpHost)
        jumpHost?.target.hop = .jumpHost
        if let jumpHost { target.hop = .behind("\(jumpHost.target)") }
        let connection = try SSHConnection(target: target, logger: logger)
        try await connection.open(key: key, policy: policy, through: jumpHost, timeout: timeout)
        return connection
    }

    /// The key that the jump host presented; nil where there is none.
    public var jumpHostKey: HostKey? { presentedByJumpHost }

    /// The key the server presented: to be pinned, where the policy was to trust it.
    public var hostKey: HostKey {
        get throws { if let presented { return presented } else { throw closed("asking for the host key") } }
    }

    /// Runs a command with the user's login shell and returns its status and output, whatever the status.
    /// Of each output stream the beginning and the end are kept, `outputLimit` bytes in all.
    public func execute(
        _ command: String, input: [UInt8] = [], timeout: Duration, outputLimit: Int = 64 * 1024
    ) async throws -> CommandResult {
        try await run("a command", timeout: timeout) { session, operation in
            try CommandChannel.run(
                command, input: CommandInput(input), operation: operation, outputLimit: outputLimit, session: session)
        }
    }

    /// Closes the connection; later calls throw.
    public func close() {
        line.end()
        session = nil
    }

    /// Whether it still stands, as far as is known without asking the other end.
    public var isOpen: Bool { session != nil && !line.isEnded }

    private func open(
        key: SSHPrivateKey, policy: HostKeyPolicy, through jumpHost: SSHJumpHost?, timeout: Duration
    ) async throws {
        try await cancellable {
            let socket: Socket
            do {
                socket = try Socket.connect(to: jumpHost?.target ?? target, until: .now + timeout) { line.use($0) }
            } catch {
                throw Task.isCancelled ? CancellationError() : error
            }
            var carrier: ForwardedChannel?
            if let jumpHost {
                let outer = try SSHSession(target: jumpHost.target, socket: socket)
                presentedByJumpHost = try outer.handshake(policy: jumpHost.hostKey, timeout: timeout)
                try outer.authenticate(with: jumpHost.key, timeout: timeout)
                carrier = try ForwardedChannel(to: target, over: outer, timeout: timeout)
            }
            let session = try SSHSession(target: target, socket: socket, through: carrier)
            presented = try session.handshake(policy: policy, timeout: timeout)
            try session.authenticate(with: key, timeout: timeout)
            self.session = session
        }
        logger.debug("connected", metadata: ["target": "\(target)"])
    }

    /// Runs a step on the session; any error it throws ends the connection.
    func run<Result: Sendable>(
        _ name: String, timeout: Duration, _ body: (SSHSession, SSHSession.Operation) throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        guard let session else { throw closed(name) }
        return try await cancellable {
            do {
                return try body(session, SSHSession.Operation(name, timeout: timeout))
            } catch {
                self.session = nil
                throw error
            }
        }
    }

    private func cancellable<Result: Sendable>(_ body: () throws -> Result) async throws -> Result {
        let line = self.line
        return try await withTaskCancellationHandler {
            // A closure that uses nothing of the actor's would run, and wait, on the cooperative pool.
            try onOwnThread(body)
        } onCancel: {
            line.end()
        }
    }

    private func onOwnThread<Result>(_ body: () throws -> Result) rethrows -> Result {
        assertIsolated("what waits for a server would hold up everybody else")
        return try body()
    }

    private func closed(_ operation: String) -> SSHError {
        .connectionLost(target, operation: operation, reason: "it was closed before")
    }
}

/// The socket in use, for those who must end it from another thread.
private final class Line: Sendable {
    private struct State {
        var socket: Socket?
        var isEnded = false
    }
    private let state = Mutex(State())

    var isEnded: Bool { state.withLock { $0.isEnded } }

    func use(_ socket: Socket) {
        let isEnded = state.withLock { state in
            state.socket = socket
            return state.isEnded
        }
        if isEnded { socket.shutDown() }
    }

    func end() {
        let socket = state.withLock { state in
            state.isEnded = true
            return state.socket
        }
        socket?.shutDown()
    }
}
