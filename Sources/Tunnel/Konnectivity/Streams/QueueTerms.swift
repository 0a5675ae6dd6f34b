import NIOCore

/// What a connection's reader may leave unread before the reading of the stream of packets stops, and for how long it may then take
/// nothing at all.
struct QueueTerms: Equatable {
    var limit: Int
    /// Nil for as long as it likes.
    var patience: TimeAmount?

    /// Nobody else is held up: no more is read than keeps the reader busy.
    static let alone = QueueTerms(limit: 256 * 1024, patience: nil)
    /// Nobody else is known of: as long as upstream's client waits for its own reader.
    static let perhapsAlone = QueueTerms(limit: 256 * 1024, patience: .seconds(10))
    /// Others are held up: a webhook's ten seconds are to be had beside a reader that stopped.
    static let shared = QueueTerms(limit: 4 * 1024 * 1024, patience: .seconds(3))
    /// For all connections of a stream of packets together.
    static let totalLimit = 64 * 1024 * 1024
}
