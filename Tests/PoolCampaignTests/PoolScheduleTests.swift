import TestCommands
import Testing

@testable import pool_campaign

@Suite struct PoolScheduleTests {
    private static func episodes(seed: UInt64, count: Int = 200) -> [Episode] {
        var schedule = PoolSchedule(seed: seed, machines: 6, sizes: [3, 2])
        return (0..<count).map { _ in schedule.next() }
    }

    @Test func aSeedSaysItAll() {
        #expect(Self.episodes(seed: 7) == Self.episodes(seed: 7))
        #expect(Self.episodes(seed: 7) != Self.episodes(seed: 8))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func poolsStayWithinTheInventoryAndKeepANode(seed: UInt64) {
        var schedule = PoolSchedule(seed: seed, machines: 6, sizes: [3, 2])
        var before = [3, 2]
        for _ in 0..<500 {
            if case .scale(let pool, let from, let to) = schedule.next().operation {
                #expect(from == before[pool] && from != to && schedule.sizes[pool] == to)
            }
            before = schedule.sizes
            #expect((1...5).contains(before.reduce(0, +)))
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func aMachineHasOneFaultAtATimeAndOneMachineIsOff(seed: UInt64) {
        for episode in Self.episodes(seed: seed) {
            #expect(episode.faults.count >= 5)
            for (index, one) in episode.faults.enumerated() {
                for other in episode.faults.dropFirst(index + 1) where one.end >= other.start && other.end >= one.start {
                    #expect(one.machine != other.machine, "\(one) and \(other)")
                    #expect(one.fault != .powerOff || other.fault != .powerOff, "\(one) and \(other)")
                }
            }
        }
    }

    @Test func everyFaultComesInEveryOperation() {
        let seen = Self.episodes(seed: 5).flatMap { episode in episode.faults.map { "\(episode.operation.kind) \($0.fault)" } }
        #expect(Set(seen).count == 3 * MachineFault.allCases.count)
        let lengths = Self.episodes(seed: 5).flatMap(\.faults).map(\.length)
        #expect(lengths.contains { $0 >= 220 })
        #expect(lengths.filter { $0 >= 220 }.count < lengths.count / 10)
    }
}
