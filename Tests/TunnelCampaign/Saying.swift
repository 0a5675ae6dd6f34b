import Glibc

/// A line on stdout, with the seconds since the start.
func say(_ text: String) {
    let line = "\((ContinuousClock.now - beginning).seconds) \(text)\n"
    _ = Array(line.utf8).withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

private let beginning = ContinuousClock.now
