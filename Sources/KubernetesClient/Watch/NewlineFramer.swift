/// Cuts a stream of bytes into lines, whatever chunks it arrives in. Pure.
///
/// A chunk may end anywhere, also inside a UTF-8 sequence; only a newline ends a frame, and blank lines are none.
struct NewlineFramer: Sendable {
    struct FrameTooLong: Error, Equatable {
        var limit: Int
    }

    let limit: Int
    private var buffer: [UInt8] = []
    /// Where the frame that is being built starts.
    private var start = 0
    /// How far the buffer was searched for a newline, so that a long frame is not searched from its start at each chunk.
    private var searched = 0

    init(limit: Int) { self.limit = limit }

    mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            searched -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole frame without its newline; nil until more bytes are there.
    mutating func next() throws(FrameTooLong) -> ArraySlice<UInt8>? {
        while let newline = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let frame = buffer[start..<newline]
            start = newline + 1
            searched = start
            if frame.count > limit { throw FrameTooLong(limit: limit) }
            if frame.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\t") }) {
                return frame
            }
        }
        searched = buffer.count
        guard buffer.count - start <= limit else { throw FrameTooLong(limit: limit) }
        return nil
    }

    /// Bytes of a frame that has not ended.
    var pendingBytes: Int { buffer.count - start }
}
