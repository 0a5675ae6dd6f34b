import Glibc
import Synchronization
import TestCampaign
import TestTunnel
import Tunnel

/// Three servers, one of which is killed every 10 s; agents on four machines; new connections and long sessions through the servers
/// that live. None of these fails.
struct Chaos: Sendable {
    static let servers = ["s1", "s2", "s3"]
    static let agents = ["a1", "a2", "a3", "a4"]
    static let dialsASecond = 50.0
    static let sessions = 20
    static let killInterval = Duration.seconds(10)
    static let deadTime = Duration.seconds(3)

    let time: Duration
    let seed: UInt64
    let products: String
    let directory: String

    private struct Parts: Sendable {
        var members: [String: Member]
        var port: Int
        var life = LifeLog()
        var counts = ChaosCounts()
    }

    /// What the campaign came to, in one line; throws when it failed.
    func run() async throws -> String {
        let network = Network(log: "\(directory)/commands.log")
        try await network.make(servers: Self.servers, agents: Self.agents)
        let pki = try TestPKI(directory: directory)
        var members: [String: Member] = [:]
        for name in Self.servers {
            members[name] = try .server(name, of: Self.servers, pki: pki, products: products, directory: directory)
        }
        for (index, name) in Self.agents.enumerated() {
            // As through an address that leads to each of them.
            let order = (0..<3).map { Self.servers[($0 + index) % 3] }
            members[name] = try .node(name, servers: order, pki: pki, products: products, directory: directory)
        }
        let all = members
        return try await TestTarget.with(host: Network.targetHost, serve: TestTarget.echo) { target in
            for name in Self.servers + Self.agents { try all[name]?.start() }
            let parts = Parts(members: all, port: target.port)
            for name in Self.servers { try await self.waitUntilLive(name, parts) }
            return try await campaign(parts)
        }
    }

    /// A server lives from the moment that a connection through it is good and it holds every agent, until just before it is killed.
    @discardableResult
    private func waitUntilLive(_ name: String, _ parts: Parts) async throws -> Duration {
        let start = ContinuousClock.now
        var tries = 0
        try await eventually("\(name) serves", within: .seconds(60)) {
            tries += 1
            return try await Self.exchange(parts, through: name) == nil
        }
        let served = ContinuousClock.now - start
        try await eventually("every agent is connected to \(name)", within: .seconds(60)) {
            try await parts.members[name]?.metrics(["nestbox_tunnel_agents"]).first == Self.agents.count
        }
        let held = ContinuousClock.now - start
        parts.life.lives(name)
        say("\(name) serves \(served.seconds) s after its start, at try \(tries), and holds every agent after \(held.seconds) s")
        return held
    }

    private func campaign(_ parts: Parts) async throws -> String {
        let end = ContinuousClock.now + time
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.killInTurn(parts, until: end) }
            group.addTask { try await self.dial(parts, until: end) }
            for number in 0..<Self.sessions { group.addTask { try await self.keepSession(number, parts, until: end) } }
            try await group.waitForAll()
        }
        return try verdict(parts)
    }

    private func killInTurn(_ parts: Parts, until end: ContinuousClock.Instant) async throws {
        var next = ContinuousClock.now
        var turn = Int(seed % 3)
        while next + Self.killInterval < end {
            next += Self.killInterval
            try await Task.sleep(until: next, clock: .continuous)
            let name = Self.servers[turn % 3]
            turn += 1
            parts.life.dies(name)
            parts.counts.killed()
            try await parts.members[name]?.stop(SIGKILL)
            try await Task.sleep(for: Self.deadTime)
            try parts.members[name]?.start()
            parts.counts.returned(after: try await waitUntilLive(name, parts))
        }
    }

    // MARK: Connections

    /// Opens a connection and has a word sent back. Returns what went wrong.
    private static func exchange(_ parts: Parts, through name: String) async throws -> String? {
        try await TestConnection.open(parts.members[name]?.socket ?? "") { connection in
            let answer = try await connection.connect(to: "\(Network.targetHost):\(parts.port)")
            guard answer == "HTTP/1.1 200 Connection Established" else { return answer }
            let word = "\(UInt64.random(in: 0 ... .max))\n"
            try await connection.write(word)
            let echo = try await connection.read(exactly: word.utf8.count)
            return echo == word ? nil : "sent \(word), got \(echo)"
        }
    }

    private func dial(_ parts: Parts, until end: ContinuousClock.Instant) async throws {
        var generator = SeededGenerator(seed: seed)
        var next = ContinuousClock.now
        try await withThrowingDiscardingTaskGroup { group in
            while ContinuousClock.now < end {
                next += .seconds(1 / Self.dialsASecond)
                try await Task.sleep(until: next, clock: .continuous)
                guard let life = parts.life.one(using: &generator) else { continue }
                group.addTask { await self.dialOnce(parts, life) }
            }
        }
    }

    private func dialOnce(_ parts: Parts, _ life: LifeLog.Life) async {
        let opening = ChaosCounts.Opening(life: life)
        var problem: String?
        do {
            problem = try await limited(to: .seconds(20)) { try await Self.exchange(parts, through: life.server) }
        } catch { problem = "\(error)" }
        parts.counts.dialled(problem, opening, parts.life)
    }

    /// A session as `exec` has it: small pieces, each answered, all of them numbered. When the server that it leads through is
    /// killed it begins anew through another one.
    private func keepSession(_ number: Int, _ parts: Parts, until end: ContinuousClock.Instant) async throws {
        var generator = SeededGenerator(seed: seed ^ UInt64(number + 1))
        while ContinuousClock.now < end {
            guard let life = parts.life.one(using: &generator) else {
                try await Task.sleep(for: .milliseconds(100))
                continue
            }
            let opening = ChaosCounts.Opening(life: life)
            let pause = Duration.milliseconds(Int.random(in: 50...300, using: &generator))
            do {
                try await TestConnection.open(parts.members[life.server]?.socket ?? "") { connection in
                    let answer = try await connection.connect(to: "\(Network.targetHost):\(parts.port)")
                    guard answer == "HTTP/1.1 200 Connection Established" else { throw Session.Refused(answer: answer) }
                    try await Session.talk(&connection, pause: pause, until: end)
                }
                parts.counts.session(nil, opening, parts.life)
            } catch {
                parts.counts.session("\(error)", opening, parts.life)
            }
        }
    }

    private func verdict(_ parts: Parts) throws -> String {
        let totals = parts.counts.current
        for line in ChaosCounts.definition + totals.lines { say(line) }
        let summary = "\(totals.kills) kills; \(totals.returns); \(totals.dials.summary("dials")); \(totals.sessions.summary("sessions"))"
        guard totals.problems.isEmpty else { throw CampaignFailed(summary: summary, problems: totals.problems) }
        return summary
    }
}

/// A numbered conversation.
enum Session {
    struct Refused: Error, CustomStringConvertible {
        var answer: String
        var description: String { "not connected: \(answer)" }
    }

    struct Astray: Error, CustomStringConvertible {
        var description: String
    }

    static func talk(_ connection: inout TestConnection, pause: Duration, until end: ContinuousClock.Instant) async throws {
        var number = 0
        while ContinuousClock.now < end {
            number += 1
            let line = "\(number) "
            try await connection.write(line)
            let sent = ContinuousClock.now
            let echo = try await connection.read(exactly: line.utf8.count)
            guard echo == line else { throw Astray(description: "sent \"\(line)\", got \"\(echo)\"") }
            let time = ContinuousClock.now - sent
            guard time < .seconds(5) else { throw Astray(description: "an echo took \(time.seconds) s") }
            try await Task.sleep(for: pause)
        }
    }
}

/// Runs `body` and gives it up after a while.
func limited<Result: Sendable>(to limit: Duration, _ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw Overdue(description: "not within \(limit.seconds) s")
        }
        defer { group.cancelAll() }
        guard let first = try await group.next() else { throw CancellationError() }
        return first
    }
}
