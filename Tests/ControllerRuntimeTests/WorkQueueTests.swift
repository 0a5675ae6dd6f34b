import Testing

@testable import ControllerRuntime

@Suite struct WorkQueueTests {
    private func takeAll(_ queue: inout WorkQueue<String>, now: Duration = .zero) -> [String] {
        var keys: [String] = []
        while let taken = queue.take(now: now) { keys.append(taken.key) }
        return keys
    }

    @Test func `First in, first out, each once`() {
        var queue = WorkQueue<String>()
        for key in ["a", "b", "a", "c", "b"] { queue.add(key, now: .zero) }
        #expect(queue.depth == 3)
        #expect(takeAll(&queue) == ["a", "b", "c"])
        #expect(queue.depth == 0)
    }

    @Test func `A key in work is not handed out again, and not forgotten`() {
        var queue = WorkQueue<String>()
        queue.add("a", now: .zero)
        #expect(queue.take(now: .zero)?.key == "a")
        queue.add("a", now: .zero)
        queue.add("a", now: .zero)
        #expect(queue.take(now: .zero) == nil)
        queue.finish("a", .done, now: .zero)
        #expect(takeAll(&queue) == ["a"])
        queue.finish("a", .done, now: .zero)
        #expect(queue.isIdle)
    }

    @Test func `Failures of one key in a row wait longer and longer, others do not`() {
        var queue = WorkQueue<String>(firstBackoff: .milliseconds(10), longestBackoff: .milliseconds(50))
        var now: Duration = .zero
        queue.add("a", now: now)
        for expected in [10, 20, 40, 50, 50] {
            #expect(queue.take(now: now)?.key == "a")
            #expect(queue.finish("a", .failed, now: now) == .milliseconds(expected))
            queue.advance(to: now + .milliseconds(expected) - .nanoseconds(1))
            #expect(queue.depth == 0)
            now += .milliseconds(expected)
            queue.advance(to: now)
            #expect(queue.depth == 1)
        }
        #expect(queue.take(now: now)?.key == "a")
        queue.add("b", now: now)
        #expect(queue.take(now: now)?.key == "b")
        #expect(queue.finish("b", .failed, now: now) == .milliseconds(10))
    }

    @Test func `A success forgets the failures`() {
        var queue = WorkQueue<String>()
        for outcome in [WorkQueue<String>.Outcome.done, .again(after: .seconds(1))] {
            for _ in 0..<3 {
                queue.add("a", now: .zero)
                _ = queue.take(now: .zero)
                queue.finish("a", .failed, now: .zero)
            }
            #expect(queue.failureCount("a") == 3)
            queue.add("a", now: .zero)
            _ = queue.take(now: .zero)
            queue.finish("a", outcome, now: .zero)
            #expect(queue.failureCount("a") == 0)
        }
    }

    @Test func `Backoff does not overflow`() {
        var queue = WorkQueue<String>()
        for _ in 0..<200 {
            queue.add("a", now: .zero)
            _ = queue.take(now: .zero)
            queue.finish("a", .failed, now: .zero)
        }
        #expect(queue.nextDue == .seconds(300))
    }

    @Test func `Of several delays the earliest counts, and work that begins before makes them void`() {
        var queue = WorkQueue<String>()
        queue.add("a", due: .seconds(5), now: .zero)
        queue.add("a", due: .seconds(3), now: .zero)
        queue.add("a", due: .seconds(9), now: .zero)
        #expect(queue.nextDue == .seconds(3))
        queue.advance(to: .seconds(3))
        #expect(takeAll(&queue, now: .seconds(3)) == ["a"])
        // Wished for during the work: that stays.
        queue.add("a", due: .seconds(7), now: .seconds(3))
        queue.finish("a", .done, now: .seconds(4))
        #expect(queue.nextDue == .seconds(7))
        queue.add("a", now: .seconds(5))
        #expect(takeAll(&queue, now: .seconds(5)) == ["a"])
        queue.finish("a", .done, now: .seconds(5))
        #expect(queue.isIdle)
    }

    @Test func `A delay that is over is no delay, and the time waited is told`() {
        var queue = WorkQueue<String>()
        queue.add("a", due: .seconds(1), now: .seconds(2))
        #expect(queue.take(now: .seconds(5)) == .init(key: "a", waited: .seconds(3)))
    }

    @Test func `At random: none lost, none twice at a time`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<50 {
            var queue = WorkQueue<Int>(firstBackoff: .seconds(1), longestBackoff: .seconds(8))
            var inWork: Set<Int> = []
            /// Keys for which something happened that no work has begun after.
            var owed: Set<Int> = []
            var now: Duration = .zero
            for _ in 0..<2000 {
                now += .milliseconds(Int.random(in: 0...500, using: &generator))
                queue.advance(to: now)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0:
                    let key = Int.random(in: 0..<20, using: &generator)
                    owed.insert(key)
                    queue.add(key, now: now)
                case 1: queue.add(Int.random(in: 0..<20, using: &generator), due: now + .seconds(1), now: now)
                case 2:
                    guard let key = queue.take(now: now)?.key else { continue }
                    #expect(inWork.insert(key).inserted)
                    owed.remove(key)
                default:
                    guard let key = inWork.randomElement(using: &generator) else { continue }
                    inWork.remove(key)
                    let outcome: WorkQueue<Int>.Outcome =
                        [.done, .failed, .again(after: .seconds(2))].randomElement(using: &generator) ?? .done
                    queue.finish(key, outcome, now: now)
                }
            }
            for key in inWork { queue.finish(key, .done, now: now) }
            queue.advance(to: now + .seconds(10))
            while let key = queue.take(now: now)?.key {
                owed.remove(key)
                queue.finish(key, .done, now: now)
            }
            #expect(owed.isEmpty)
            #expect(queue.isIdle)
        }
    }
}
