import Glibc

/// A line on stdout, with the seconds since the start.
public func say(_ text: String) {
    let line = "\(sinceBeginning().seconds) \(text)\n"
    _ = Array(line.utf8).withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
}

/// The time since it was asked for first, or something was said.
public func sinceBeginning() -> Duration { ContinuousClock.now - beginning }

private let beginning = ContinuousClock.now

extension Duration {
    /// To a hundredth.
    public var seconds: Double { (self / .milliseconds(10)).rounded() / 100 }
}
