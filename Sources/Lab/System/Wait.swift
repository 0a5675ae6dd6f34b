/// Waits for a condition by looking, with a deadline.
enum Wait {
    /// Whether it came to be in time.
    static func until(_ limit: Duration, every interval: Duration = .milliseconds(50), _ condition: () async throws -> Bool) async throws
        -> Bool
    {
        let deadline = ContinuousClock.now + limit
        while true {
            if try await condition() { return true }
            if ContinuousClock.now >= deadline { return false }
            try await Task.sleep(for: interval)
        }
    }
}
