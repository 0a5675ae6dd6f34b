import Testing
import Tunnel

@Suite("Waiting before the next attempt")
struct ReconnectBackoffTests {
    /// The same numbers at every run (SplitMix64).
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test("From 100 ms to 5 s, never more, never less")
    func bounds() {
        for seed in 0..<50 {
            var generator = Seeded(state: UInt64(seed))
            var backoff = ReconnectBackoff()
            for attempt in 0..<20 {
                backoff.failed()
                let delay = backoff.delay(using: &generator)
                #expect(delay >= .milliseconds(100))
                #expect(delay <= .seconds(5))
                #expect(backoff.delay(isAlone: true, using: &generator) <= .seconds(1))
                if attempt == 0 { #expect(delay <= .milliseconds(200)) }
                if attempt > 6 { #expect(delay >= .milliseconds(2500)) }
            }
        }
    }

    @Test("A good connection makes it start anew, a short one does not")
    func reset() {
        var generator = Seeded(state: 1)
        var backoff = ReconnectBackoff()
        for _ in 0..<10 { backoff.failed() }
        backoff.ended(after: .seconds(1))
        #expect(backoff.delay(using: &generator) >= .milliseconds(2500))
        backoff.ended(after: .seconds(60))
        #expect(backoff.delay(using: &generator) <= .milliseconds(200))
    }
}
