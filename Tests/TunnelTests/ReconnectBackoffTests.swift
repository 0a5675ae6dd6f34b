import Testing
import Tunnel

@Suite("Waiting before the next attempt")
struct ReconnectBackoffTests {
    private struct Fixed: RandomNumberGenerator {
        var value: UInt64
        mutating func next() -> UInt64 { value }
    }

    @Test("From 100 ms to 5 s, never more, never less")
    func bounds() {
        for value in [UInt64.min, .max / 2, .max] {
            var generator = Fixed(value: value)
            var backoff = ReconnectBackoff()
            var last = Duration.zero
            for _ in 0..<20 {
                backoff.failed()
                let delay = backoff.delay(using: &generator)
                #expect(delay >= .milliseconds(100))
                #expect(delay <= .seconds(5))
                #expect(delay >= last)
                last = delay
            }
            #expect(last >= .milliseconds(2500))
        }
    }

    @Test("A good connection makes it start anew, a short one does not")
    func reset() {
        var generator = Fixed(value: .max)
        var backoff = ReconnectBackoff()
        for _ in 0..<10 { backoff.failed() }
        backoff.ended(after: .seconds(1))
        #expect(backoff.delay(using: &generator) > .seconds(4))
        backoff.ended(after: .seconds(60))
        #expect(backoff.delay(using: &generator) <= .milliseconds(200))
    }
}
