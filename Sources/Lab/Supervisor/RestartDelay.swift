/// How long to wait before a program that ended is started again: at once after a long life, longer and longer after short ones.
struct RestartDelay: Sendable {
    static let first: Duration = .milliseconds(200)
    static let longest: Duration = .seconds(10)
    /// A life that counts as a success.
    static let longLife: Duration = .seconds(30)
    private var upcoming = Self.first

    init() {}

    mutating func next(afterLife life: Duration) -> Duration {
        if life >= Self.longLife { upcoming = Self.first }
        defer { upcoming = min(upcoming * 2, Self.longest) }
        return upcoming
    }
}
