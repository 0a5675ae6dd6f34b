import Logging
import SSHClient

/// A way to run things as root on one machine.
public protocol MachineShell: Sendable {
    /// Runs a script's text by `/bin/sh -s`, and ends it there, too, when the time is over.
    func run(_ text: String, timeout: Duration) async throws -> CommandResult
    /// Brings a file there unless it is there already.
    func upload(_ upload: Upload) async throws
    func close() async
}

/// Over SSH, as root or as a user who may use sudo without a password.
public struct SSHMachineShell: MachineShell {
    public let connection: SSHConnection
    /// Of uploads. They end when nothing more comes; this ends those whose connection was cut and that nobody told so.
    private let shell: String
    private let prefix: String

    public init(_ connection: SSHConnection) {
        self.connection = connection
        prefix = connection.target.user == "root" ? "" : "sudo -n "
        shell = prefix + "timeout -k 5 3600 /bin/sh"
    }

    public func run(_ text: String, timeout: Duration) async throws -> CommandResult {
        let seconds = max(1, timeout.components.seconds)
        // The remote end gives up first: it then says so, and the connection lives on.
        return try await connection.execute(
            "\(prefix)timeout -k 5 \(seconds) /bin/sh -s", input: Array(text.utf8), timeout: .seconds(seconds + 15))
    }

    public func upload(_ upload: Upload) async throws {
        _ = try await connection.upload(
            file: upload.file.path, to: upload.path, mode: upload.mode, sha256: upload.file.sha256, shell: shell)
    }

    public func close() async { await connection.close() }
}
