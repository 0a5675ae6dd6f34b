/// The other end has us answer and reads no answers.
struct PeerReadsNothing: Error, CustomStringConvertible {
    /// How many bytes may wait for it: more than the answers to all its streams.
    static let limit = 8 * 1024 * 1024

    var bytes: Int
    var description: String { "the other end leaves \(bytes) bytes of answers unread" }
}
