import Glibc

/// A program that runs beside this one.
struct Program: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let pid: pid_t

    /// Starts it with its output appended to the file `log`.
    init(_ arguments: [String], log: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        // A connection of this process's that a program kept open would not end with it.
        guard try Self.closeFrom(&actions, STDERR_FILENO + 1) == 0 else { throw Failure(description: "descriptors would be inherited") }
        var words = arguments.map { strdup($0) }
        defer { words.forEach { free($0) } }
        words.append(nil)
        var pid = pid_t()
        let code = posix_spawnp(&pid, arguments[0], &actions, nil, words, environ)
        guard code == 0 else { throw Failure(description: "\(arguments[0]): \(String(cString: strerror(code)))") }
        self.pid = pid
    }

    /// Swift's Glibc leaves out what glibc declares for GNU sources only.
    private static func closeFrom(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>, _ first: Int32) throws -> Int32 {
        typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            throw Failure(description: "this glibc is older than 2.34")
        }
        return unsafeBitCast(symbol, to: CloseFrom.self)(actions, first)
    }

    /// Runs one to its end; it is to succeed.
    static func run(_ arguments: [String], log: String) async throws {
        let status = try await Program(arguments, log: log).wait()
        guard status == 0 else { throw Failure(description: "\(arguments.joined(separator: " ")): status \(status), see \(log)") }
    }

    func signal(_ signal: Int32) { kill(pid, signal) }

    /// How it ended; once only.
    @discardableResult
    func wait() async throws -> Int32 {
        while true {
            if let status { return status }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Returns once it has ended; SIGKILL follows when that takes longer than it may.
    func end(_ signal: Int32, within limit: Duration) async throws {
        kill(pid, signal)
        let deadline = ContinuousClock.now + limit
        while status == nil {
            if ContinuousClock.now > deadline { kill(pid, SIGKILL) }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private var status: Int32? {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) == 0 ? nil : status
    }
}
