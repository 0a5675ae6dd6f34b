/// Which keys are to be worked on, and when. Pure: time comes in with each call, as the duration since some start.
///
/// A key is in work once at most; one that is added while it is in work comes again afterwards; many adds are one.
struct WorkQueue<Key: Hashable & Sendable>: Sendable {
    /// What became of the work on a key.
    enum Outcome: Sendable, Equatable {
        case done
        /// Again after a time that grows with each failure in a row.
        case failed
        case again(after: Duration)
    }

    struct Taken: Sendable, Equatable {
        var key: Key
        /// How long it had waited.
        var waited: Duration
    }

    let firstBackoff: Duration
    let longestBackoff: Duration

    /// First in, first out. Taken ones are cut off now and then rather than each time.
    private var ready: [Key] = []
    private var head = 0
    /// Waiting for a worker, or for the end of the work under way on them, since when.
    private var waiting: [Key: Duration] = [:]
    private var inWork: Set<Key> = []
    private var delayed: [Key: Duration] = [:]
    private var failures: [Key: Int] = [:]

    init(firstBackoff: Duration = .milliseconds(10), longestBackoff: Duration = .seconds(300)) {
        self.firstBackoff = firstBackoff
        self.longestBackoff = longestBackoff
    }

    /// Keys that a worker could take now.
    var depth: Int { ready.count - head }
    /// When the earliest delayed key is due.
    var nextDue: Duration? { delayed.values.min() }
    var isIdle: Bool { depth == 0 && inWork.isEmpty && delayed.isEmpty }

    /// False when the key waits already.
    @discardableResult
    mutating func add(_ key: Key, now: Duration) -> Bool {
        guard waiting[key] == nil else { return false }
        waiting[key] = now
        if !inWork.contains(key) { ready.append(key) }
        return true
    }

    /// Adds the key when `due` has come. Of several times the earliest counts.
    mutating func add(_ key: Key, due: Duration, now: Duration) {
        guard due > now else {
            add(key, now: now)
            return
        }
        delayed[key] = min(delayed[key] ?? due, due)
    }

    /// Moves what is due to where workers find it.
    mutating func advance(to now: Duration) {
        for (key, due) in delayed.sorted(by: { $0.value < $1.value }) where due <= now {
            delayed[key] = nil
            add(key, now: now)
        }
    }

    mutating func take(now: Duration) -> Taken? {
        guard head < ready.count else { return nil }
        let key = ready[head]
        head += 1
        if head > 64, head * 2 > ready.count {
            ready.removeFirst(head)
            head = 0
        }
        let since = waiting.removeValue(forKey: key) ?? now
        // The work that begins sees everything up to now, so nothing is left of an earlier wish to look again later.
        delayed[key] = nil
        inWork.insert(key)
        return Taken(key: key, waited: now - since)
    }

    /// - Returns: after how long the key comes again by itself.
    @discardableResult
    mutating func finish(_ key: Key, _ outcome: Outcome, now: Duration) -> Duration? {
        inWork.remove(key)
        if waiting[key] != nil { ready.append(key) }
        switch outcome {
        case .done:
            failures[key] = nil
            return nil
        case .again(let after):
            failures[key] = nil
            add(key, due: now + after, now: now)
            return after
        case .failed:
            let count = failures[key, default: 0]
            failures[key] = count + 1
            let after = backoff(failures: count)
            add(key, due: now + after, now: now)
            return after
        }
    }

    func failureCount(_ key: Key) -> Int { failures[key] ?? 0 }

    private func backoff(failures: Int) -> Duration {
        // 2^20 times the first exceeds any limit that makes sense; beyond it the shift would overflow.
        min(firstBackoff * (1 << min(failures, 20)), longestBackoff)
    }
}
