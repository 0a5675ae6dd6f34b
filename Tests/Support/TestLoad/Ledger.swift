/// The writes that a server acknowledged, to be read back. Pure.
///
/// Each counter has one writer, which counts it up and writes over the version that it knows only: so a write that came late cannot hide
/// a newer one.
public struct Ledger: Equatable, Sendable {
    public struct Counter: Equatable, Sendable {
        public var acknowledged = 0
        /// What was written at last, acknowledged or not.
        public var tried = 0
    }

    public private(set) var counters: [String: Counter] = [:]
    public private(set) var created: Set<String> = []
    public private(set) var acknowledged = 0

    public init() {}

    public mutating func tried(_ counter: String, _ value: Int) {
        counters[counter, default: Counter()].tried = max(counters[counter]?.tried ?? 0, value)
    }

    public mutating func acknowledged(_ counter: String, _ value: Int) {
        tried(counter, value)
        counters[counter, default: Counter()].acknowledged = max(counters[counter]?.acknowledged ?? 0, value)
        acknowledged += 1
    }

    public mutating func acknowledged(created name: String) {
        created.insert(name)
        acknowledged += 1
    }

    /// What a read found that it must not have found, in words.
    /// - Parameter earlier: the ledger when the read began, where writes went on beside it.
    public func contradiction(of counter: String, _ value: Int?, since earlier: Ledger? = nil) -> String? {
        guard let known = counters[counter] else { return nil }
        let acknowledged = (earlier ?? self).counters[counter]?.acknowledged ?? 0
        guard let value else { return acknowledged > 0 ? "\(counter) is gone, which was acknowledged at \(acknowledged)" : nil }
        if value < acknowledged { return "\(counter) is \(value), and \(acknowledged) was acknowledged" }
        return value > known.tried ? "\(counter) is \(value), and nobody wrote more than \(known.tried)" : nil
    }

    /// Everything read back.
    ///
    /// - Parameter earlier: as it was when the reading began, where writers go on meanwhile.
    public func lost(counters found: [String: Int], created names: Set<String>, since earlier: Ledger? = nil) -> [String] {
        counters.keys.sorted().compactMap { contradiction(of: $0, found[$0], since: earlier) }
            + (earlier ?? self).created.subtracting(names).sorted().map { "\($0) is gone, whose creation was acknowledged" }
    }
}
