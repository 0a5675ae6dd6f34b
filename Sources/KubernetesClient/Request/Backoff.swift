/// Waiting times that grow by a factor up to a limit, spread so that many clients do not return at once.
public struct Backoff: Sendable {
    private var upcoming: Duration
    private let initial: Duration
    private let factor: Int
    private let limit: Duration

    public init(initial: Duration, factor: Int, limit: Duration) {
        self.initial = initial
        self.upcoming = initial
        self.factor = factor
        self.limit = limit
    }

    /// The next wait: between half and the whole of the step.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let step = min(upcoming, limit)
        upcoming = min(step * factor, limit)
        return step * Double.random(in: 0.5...1, using: &generator)
    }

    /// Starts over, after a success.
    public mutating func reset() { upcoming = initial }
}
