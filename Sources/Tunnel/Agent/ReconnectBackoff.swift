/// How long to wait before the next attempt to connect: from 100 ms to 5 s, doubling, with jitter so that a fleet does not come
/// back as one.
public struct ReconnectBackoff: Sendable {
    public static let shortest = Duration.milliseconds(100)
    public static let longest = Duration.seconds(5)
    /// Without any other connection. An address may lead to servers of which most have just gone.
    public static let longestAlone = Duration.seconds(1)
    /// A connection that lived this long was a good one.
    public static let goodLife = Duration.seconds(10)

    private var failures = 0

    public init() {}

    /// A connection came up and ended after `life`.
    public mutating func ended(after life: Duration) { failures = life >= Self.goodLife ? 0 : failures + 1 }
    public mutating func failed() { failures += 1 }

    /// Between half and all of the bound for the failures so far.
    public func delay(isAlone: Bool = false, using generator: inout some RandomNumberGenerator) -> Duration {
        let doublings = min(max(failures - 1, 0), 6)
        let bound = min(Self.shortest * (1 << doublings) * 2, isAlone ? Self.longestAlone : Self.longest)
        return max(bound * Double.random(in: 0.5...1, using: &generator), Self.shortest)
    }
}
