/// Decides whether something that happened is a new Event, one more of an old one, or too much. Pure and bounded.
struct EventCorrelator: Sendable {
    struct Occurrence: Sendable, Hashable {
        var object: String
        var type: String
        var reason: String
        var message: String
    }

    enum Decision: Sendable, Equatable {
        case create(message: String)
        /// The Event of this name happened once more.
        case repeated(name: String, count: Int)
        case drop
    }

    /// Different messages of one reason on one object within the window before they are combined, as in client-go.
    static let similarLimit = 10
    static let window: Duration = .seconds(600)
    /// Events of one object at once, and how soon one more is allowed.
    static let burst = 25.0
    static let refill: Duration = .seconds(300)
    static let capacity = 4096

    private struct Known {
        var name: String
        var count: Int
        var seen: Duration
    }

    private struct Similar {
        var messages: Set<String> = []
        var since: Duration
    }

    private struct Bucket {
        var tokens: Double
        var filled: Duration
    }

    private var known: [Occurrence: Known] = [:]
    private var similar: [Occurrence: Similar] = [:]
    private var buckets: [String: Bucket] = [:]

    mutating func decide(_ occurrence: Occurrence, now: Duration) -> Decision {
        guard spend(occurrence.object, now: now) else { return .drop }
        let effective = combined(occurrence, now: now)
        if var old = known[effective] {
            old.count += 1
            old.seen = now
            known[effective] = old
            return .repeated(name: old.name, count: old.count)
        }
        return .create(message: effective.message)
    }

    /// The Event was made under this name.
    mutating func created(_ occurrence: Occurrence, message: String, name: String, now: Duration) {
        var effective = occurrence
        effective.message = message
        known[effective] = Known(name: name, count: 1, seen: now)
        trim()
    }

    /// The Event is gone (they live an hour): the next one like it is new.
    mutating func forget(name: String) { known = known.filter { $0.value.name != name } }

    private mutating func combined(_ occurrence: Occurrence, now: Duration) -> Occurrence {
        var group = occurrence
        group.message = ""
        var seen = similar[group] ?? Similar(since: now)
        if now - seen.since > Self.window { seen = Similar(since: now) }
        if seen.messages.count <= Self.similarLimit { seen.messages.insert(occurrence.message) }
        similar[group] = seen
        guard seen.messages.count > Self.similarLimit else { return occurrence }
        var result = occurrence
        // One message for all of them, so that they are one Event.
        result.message = "(combined from similar events)"
        return result
    }

    private mutating func spend(_ object: String, now: Duration) -> Bool {
        var bucket = buckets[object] ?? Bucket(tokens: Self.burst, filled: now)
        bucket.tokens = min(Self.burst, bucket.tokens + (now - bucket.filled) / Self.refill)
        bucket.filled = now
        defer { buckets[object] = bucket }
        guard bucket.tokens >= 1 else { return false }
        bucket.tokens -= 1
        return true
    }

    private mutating func trim() {
        if known.count > Self.capacity {
            let oldest = known.sorted { $0.value.seen < $1.value.seen }.prefix(Self.capacity / 4)
            for (key, _) in oldest { known[key] = nil }
        }
        if similar.count > Self.capacity { similar = [:] }
        if buckets.count > Self.capacity { buckets = buckets.filter { $0.value.tokens < Self.burst - 1 } }
        if buckets.count > Self.capacity { buckets = [:] }
    }
}
