/// What the load's client asks of an API.
public enum Verb: String, Sendable, CaseIterable, Comparable {
    case list, watch, create, update, exec

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// How a service was, as its one client saw it, verb by verb and under each thing that was done to it meanwhile. Pure.
public struct ServiceRecord: Equatable, Sendable {
    /// Seconds since the load's begin.
    public typealias Moment = Double

    public struct Tally: Equatable, Sendable {
        public var succeeded = 0
        /// What failed although the client tried as often as clients do.
        public var failed = 0
        /// The longest time from one success to the next, the load's own pause in it.
        public var gap: Moment = 0
    }

    /// What is going on: an operation's name, or nothing.
    public private(set) var current: String
    /// By what went on, then by verb.
    public private(set) var tallies: [String: [Verb: Tally]] = [:]
    /// The first failures, in words.
    public private(set) var failures: [String] = []

    public static let rest = "rest"
    private static let mostFailures = 100
    private var lastSuccess: [Verb: Moment] = [:]

    public init() { current = Self.rest }

    public mutating func succeeded(_ verb: Verb, at now: Moment) {
        measure(verb, now)
        tallies[current, default: [:]][verb, default: Tally()].succeeded += 1
        lastSuccess[verb] = now
    }

    public mutating func failed(_ verb: Verb, at now: Moment, _ words: String) {
        tallies[current, default: [:]][verb, default: Tally()].failed += 1
        if failures.count < Self.mostFailures { failures.append("\(now) \(current): \(verb.rawValue): \(words)") }
    }

    /// A gap that is still open counts for what ends, and for what begins.
    public mutating func begins(_ operation: String, at now: Moment) {
        for verb in lastSuccess.keys { measure(verb, now) }
        current = operation
        for verb in lastSuccess.keys { measure(verb, now) }
    }

    private mutating func measure(_ verb: Verb, _ now: Moment) {
        guard let last = lastSuccess[verb] else { return }
        tallies[current, default: [:]][verb, default: Tally()].gap = max(
            tallies[current]?[verb]?.gap ?? 0, ((now - last) * 100).rounded() / 100)
    }

    /// Of everything that went on but rest.
    public func failed(during operation: String) -> Int { tallies[operation, default: [:]].values.reduce(0) { $0 + $1.failed } }

    /// `list 0.61 s, update 0.4 s`
    public func gaps(during operation: String) -> String {
        tallies[operation, default: [:]].sorted { $0.key < $1.key }.map { "\($0.key.rawValue) \($0.value.gap) s" }.joined(separator: ", ")
    }

    /// The table, in lines of Markdown.
    public var table: [String] {
        let verbs = Verb.allCases.filter { verb in tallies.values.contains { $0[verb] != nil } }
        let head = ["| during | " + verbs.map { "\($0.rawValue): done, failed, longest gap" }.joined(separator: " | ") + " |"]
        return head + ["|---" + String(repeating: "|---", count: verbs.count) + "|"]
            + tallies.sorted { $0.key < $1.key }.map { name, tally in
                "| \(name) | "
                    + verbs.map { verb in
                        tally[verb].map { "\($0.succeeded), \($0.failed), \($0.gap) s" } ?? ""
                    }.joined(separator: " | ") + " |"
            }
    }
}
