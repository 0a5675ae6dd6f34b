/// The beginning and the end of a stream of any length: errors stand at the end, what was asked for at the beginning.
struct BoundedOutput {
    private let half: Int
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    private(set) var dropped = false

    init(limit: Int) { half = max(1, limit / 2) }

    mutating func append(_ bytes: some Collection<UInt8>) {
        let toHead = min(half - head.count, bytes.count)
        head.append(contentsOf: bytes.prefix(toHead))
        tail.append(contentsOf: bytes.dropFirst(toHead))
        // Trimmed now and then only, so that appending stays cheap.
        if tail.count > 2 * half { trim() }
    }

    private mutating func trim() {
        guard tail.count > half else { return }
        tail.removeFirst(tail.count - half)
        dropped = true
    }

    mutating func finish() -> [UInt8] {
        trim()
        return dropped ? head + Array("\n...\n".utf8) + tail : head + tail
    }
}
