import Foundation

/// Data goes to stdout, everything for the person's eye to stderr.
enum Terminal {
    static func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }

    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    static func write(_ text: String) {
        FileHandle.standardOutput.write(Data(text.utf8))
    }

    /// Replaces the current line on a terminal; elsewhere each text is a line of its own.
    static func progress(_ line: String) {
        FileHandle.standardError.write(Data((isInteractive ? "\r\u{1B}[2K\(line)" : "\(line)\n").utf8))
    }

    static func endProgress() {
        if isInteractive { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}
