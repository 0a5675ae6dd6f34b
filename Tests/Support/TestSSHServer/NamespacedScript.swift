import Foundation

/// A shell script as the first process of a mount and a process namespace, which end with it, and with this process, also when that is
/// killed. Needs root.
public final class NamespacedScript: Sendable {
    /// Between the two is a shell that reads from this process, and ends what it started when nothing more can come.
    private static let watch = """
        exec 3<&0
        unshare --mount --propagation private --pid --fork --kill-child=KILL /bin/sh -c "$1" </dev/null 3<&- &
        child=$!
        cat <&3 >/dev/null &
        reader=$!
        wait -n
        kill -KILL $child $reader 2>/dev/null
        wait
        """

    private let process = Process()
    private let life = Pipe()

    public init(_ script: String, environment: [String: String] = ProcessInfo.processInfo.environment) throws {
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", Self.watch, "watch", script]
        process.environment = environment
        process.standardInput = life
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    public var isRunning: Bool { process.isRunning }

    /// Ends all of it, and waits until it is gone.
    public func end() {
        try? life.fileHandleForWriting.close()
        if process.isRunning { process.waitUntilExit() }
    }
}
