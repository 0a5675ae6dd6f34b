import Foundation
import Glibc

/// Data goes to stdout, everything for the person's eye to stderr.
enum Terminal {
    static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// Whether what is said on stderr is read by a person as it comes.
    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 && environment("TERM") != "dumb" }

    /// The columns of the terminal that stderr is.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    static func write(_ text: String) { put(text, on: STDOUT_FILENO) }

    static func writeLine(_ line: String) { write(line + "\n") }

    static func say(_ line: String) { put(line + "\n", on: STDERR_FILENO) }

    /// On stderr and without a newline: for lines that are drawn over.
    static func draw(_ text: String) { put(text, on: STDERR_FILENO) }

    /// Not by FileHandle, which ends the process with a crash when nobody reads on: `nestbox get clusters -w | head -1`.
    private static func put(_ text: String, on descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE, descriptor == STDOUT_FILENO {
                // As a program that the signal SIGPIPE ended; it is ignored here, for sockets.
                exit(141)
            } else if errno != EINTR, errno != EAGAIN {
                return
            }
        }
    }
}
