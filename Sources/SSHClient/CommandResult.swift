/// What a remote command left.
public struct CommandResult: Sendable, Equatable {
    /// The exit status; 128 when a signal ended it.
    public var status: Int32
    /// The signal that ended it (`KILL`).
    public var signal: String?
    public var stdout: [UInt8]
    public var stderr: [UInt8]
    /// Whether output was dropped from the middle of one of them.
    public var truncated: Bool

    public init(status: Int32, signal: String? = nil, stdout: [UInt8] = [], stderr: [UInt8] = [], truncated: Bool = false) {
        self.status = status
        self.signal = signal
        self.stdout = stdout
        self.stderr = stderr
        self.truncated = truncated
    }

    public var succeeded: Bool { status == 0 && signal == nil }
    /// stdout as text, invalid UTF-8 replaced.
    public var text: String { String(decoding: stdout, as: UTF8.self) }
    /// stderr as text, invalid UTF-8 replaced.
    public var errorText: String { String(decoding: stderr, as: UTF8.self) }
}
