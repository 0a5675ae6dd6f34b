/// When an agent looks for another of upstream's servers behind the one address that it knows, and how long it waits in between.
///
/// Each server says in its headers how many there are. An agent that has fewer connections asks the address again, until chance (a
/// balancer) has led it to all of them.
struct ServerSync {
    /// Between two looks.
    var interval: Duration
    /// The most that failures stretch it to.
    var intervalCap: Duration
    /// Looks even when it has enough, as the number of servers may have grown.
    var isForever: Bool

    /// As the last server said. The first one is looked for in any case.
    private(set) var serverCount = 1
    private var failures = 0

    init(interval: Duration, intervalCap: Duration, isForever: Bool) {
        self.interval = interval
        self.intervalCap = intervalCap
        self.isForever = isForever
    }

    func wantsAnother(connections: Int) -> Bool { isForever || connections < serverCount || serverCount == 0 }

    /// A new server was found, which knows of `serverCount`.
    mutating func found(serverCount: Int) {
        self.serverCount = max(serverCount, 0)
        failures = 0
    }

    /// There was nothing to do, or the address led to a server that is connected already.
    mutating func wasInVain() { failures = 0 }
    mutating func failed() { failures += 1 }

    /// With a tenth of jitter, so that a fleet does not come back as one.
    func delay(using generator: inout some RandomNumberGenerator) -> Duration {
        var base = interval
        for _ in 1..<max(failures, 1) where base < intervalCap { base = base * 1.5 }
        return min(base, max(intervalCap, interval)) * Double.random(in: 1...1.1, using: &generator)
    }
}
