import TestCampaign
import TestCommands

/// What is asked of the pools, by their numbers from 0, while faults go on.
enum Operation: Equatable, Sendable {
    case scale(pool: Int, from: Int, to: Int)
    case upgrade(pool: Int)
    /// Nothing is asked: what breaks is mended.
    case repair

    var kind: String {
        switch self {
        case .scale: "scale"
        case .upgrade: "upgrade"
        case .repair: "repair"
        }
    }
}

/// A fault of one machine; times in seconds after the operation was asked for.
struct PlannedFault: Equatable, Sendable {
    var fault: MachineFault
    /// From 1.
    var machine: Int
    var start: Double
    var length: Double

    var end: Double { start + length }
}

/// One thing that is asked for, and what goes wrong meanwhile. The next begins when the pools have come to rest.
struct Episode: Equatable, Sendable {
    var number: Int
    var operation: Operation
    var faults: [PlannedFault]
}

/// What happens when, from a seed. The same seed gives the same episodes, whatever comes of them.
struct PoolSchedule: Sendable {
    /// Longer than a pool waits for a node: 40 s until Kubernetes misses it, a minute that the pool allows, three looks in vain.
    static let longFault = 220.0...260.0
    static let shortFault = 4.0...45.0
    private static let faultsAnEpisode = 8...10
    /// Faults begin within this time.
    private static let spread = 60.0
    /// Between two faults of one machine, so that each has an end.
    private static let pause = 5.0

    let machines: Int
    private(set) var sizes: [Int]
    private var generator: SeededGenerator
    private var number = 0
    private var deck: [Card] = []

    private enum Card { case scale, upgrade, repair }

    /// - Parameter sizes: of the pools at the beginning.
    init(seed: UInt64, machines: Int, sizes: [Int]) {
        self.machines = machines
        self.sizes = sizes
        generator = SeededGenerator(seed: seed)
    }

    mutating func next() -> Episode {
        number += 1
        let operation = nextOperation()
        return Episode(number: number, operation: operation, faults: nextFaults(isRepair: operation == .repair))
    }

    private mutating func nextOperation() -> Operation {
        // Of each in turn, in any order: a round is short.
        if deck.isEmpty { deck = [.scale, .upgrade, .repair].shuffled(using: &generator) }
        switch deck.removeLast() {
        case .scale:
            let pool = Int.random(in: 0..<sizes.count, using: &generator)
            let others = sizes.reduce(0, +) - sizes[pool]
            // One machine at least is to spare, and one node at least is there for the pods.
            let possible = (max(0, 1 - others)...(machines - 1 - others)).filter { $0 != sizes[pool] && $0 <= 4 }
            guard !possible.isEmpty else { return .repair }
            let size = possible[Int.random(in: 0..<possible.count, using: &generator)]
            defer { sizes[pool] = size }
            return .scale(pool: pool, from: sizes[pool], to: size)
        case .upgrade:
            let pools = sizes.indices.filter { sizes[$0] > 0 }
            return .upgrade(pool: pools[Int.random(in: 0..<pools.count, using: &generator)])
        case .repair: return .repair
        }
    }

    private mutating func nextFaults(isRepair: Bool) -> [PlannedFault] {
        var faults: [PlannedFault] = []
        // What lasts is replaced.
        if isRepair, Bool.random(using: &generator) {
            let kinds: [MachineFault] = [.powerOff, .freeze, .cut]
            faults.append(
                PlannedFault(
                    fault: kinds[Int.random(in: 0..<kinds.count, using: &generator)],
                    machine: Int.random(in: 1...machines, using: &generator),
                    start: Double.random(in: 0...10, using: &generator).rounded(),
                    length: Double.random(in: Self.longFault, using: &generator).rounded()))
        }
        let count = Int.random(in: Self.faultsAnEpisode, using: &generator)
        for _ in 0..<200 where faults.count < count {
            let kind = MachineFault.allCases[Int.random(in: 0..<MachineFault.allCases.count, using: &generator)]
            let fault = PlannedFault(
                fault: kind, machine: Int.random(in: 1...machines, using: &generator),
                start: Double.random(in: 0...Self.spread, using: &generator).rounded(),
                length: kind == .reboot ? 0 : Double.random(in: Self.shortFault, using: &generator).rounded())
            if faults.allSatisfy({ Self.goWell(fault, $0) }) { faults.append(fault) }
        }
        return faults.sorted { ($0.start, $0.machine) < ($1.start, $1.machine) }
    }

    /// One at a time on a machine; and one machine at a time is off, for the lab starts all that are.
    private static func goWell(_ one: PlannedFault, _ other: PlannedFault) -> Bool {
        let areApart = one.start > other.end + pause || other.start > one.end + pause
        return areApart || one.machine != other.machine && !(one.fault == .powerOff && other.fault == .powerOff)
    }
}
