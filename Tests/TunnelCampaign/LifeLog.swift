import Synchronization
import TestCampaign

/// Which servers live, and when which was killed.
final class LifeLog: Sendable {
    /// One life of a server's, from its start to its death.
    struct Life: Hashable, Sendable {
        var server: String
        var number: Int
    }

    private struct State {
        var living: [String: Life] = [:]
        var lives = 0
        var deaths: [(server: String, time: ContinuousClock.Instant)] = []
    }

    private let state = Mutex(State())

    func lives(_ server: String) {
        state.withLock { state in
            state.lives += 1
            state.living[server] = Life(server: server, number: state.lives)
        }
    }

    func dies(_ server: String) {
        state.withLock { state in
            state.living[server] = nil
            state.deaths.append((server, .now))
        }
    }

    func isOver(_ life: Life) -> Bool { state.withLock { $0.living[life.server] != life } }

    /// One of those that live.
    func one(using generator: inout SeededGenerator) -> Life? {
        let living = state.withLock { $0.living.values.sorted { $0.server < $1.server } }
        return living.isEmpty ? nil : living[Int.random(in: 0..<living.count, using: &generator)]
    }

    /// The last death of another server, and how long ago it was.
    func lastDeath(beside server: String) -> (server: String, ago: Duration)? {
        state.withLock { state in
            state.deaths.last { $0.server != server }.map { ($0.server, ContinuousClock.now - $0.time) }
        }
    }
}
