import Testing

@testable import Tunnel

@Suite("How an agent finds all of upstream's servers")
struct ServerSyncTests {
    private func sync(forever: Bool = false) -> ServerSync {
        ServerSync(interval: .seconds(1), intervalCap: .seconds(10), isForever: forever)
    }

    @Test("It wants as many connections as the last server said, and one to begin with")
    func wants() {
        var sync = sync()
        #expect(sync.wantsAnother(connections: 0))
        #expect(!sync.wantsAnother(connections: 1))
        sync.found(serverCount: 3)
        #expect(sync.wantsAnother(connections: 2))
        #expect(!sync.wantsAnother(connections: 3))
        sync.found(serverCount: 0)
        #expect(sync.wantsAnother(connections: 5))
        sync.found(serverCount: -4)
        #expect(sync.serverCount == 0)
        #expect(self.sync(forever: true).wantsAnother(connections: 9))
    }

    @Test("Failures stretch the interval by half, to its cap; anything else resets it", arguments: 0..<20)
    func delays(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        var sync = sync()
        func expect(_ seconds: Double, _ delay: Duration) {
            #expect(delay >= .seconds(seconds) && delay <= .seconds(seconds * 1.1 + 0.001))
        }
        expect(1, sync.delay(using: &generator))
        for seconds in [1, 1.5, 2.25, 3.375, 5.0625, 7.59375, 10, 10] {
            sync.failed()
            expect(seconds, sync.delay(using: &generator))
        }
        sync.wasInVain()
        expect(1, sync.delay(using: &generator))
    }
}
