import Glibc
import Synchronization
import TestCampaign
import TestTunnel
import Tunnel

/// Connections of all kinds through three servers and four agents, while members die and are cut off; afterwards nothing is left.
struct Soak: Sendable {
    static let servers = ["s1", "s2", "s3"]
    static let agents = ["a1", "a2", "a3", "a4"]
    /// Never killed: what they hold at the end is compared to what they held after the warm-up.
    static let immortal: Set<String> = ["s1", "a1"]
    /// No agent is told of s3, so that all that goes through it is passed on by a peer.
    static let routers: Set<String> = ["s3"]
    /// Upstream's protocol, which this agent speaks, has no half-close: the answer to an upload may be lost, the upload may not.
    static let withoutHalfClose: Set<String> = ["a4"]
    static let connectionsASecond = 14.0
    static let warmUp = Duration.seconds(60)

    let time: Duration
    let seed: UInt64
    let products: String
    let directory: String

    private struct Parts: Sendable {
        var members: [String: Member]
        var traveller: Traveller
        var tally: Tally
        var log: FaultLog
        var maker: FaultMaker
    }

    /// What the campaign came to, in one line; throws when it failed.
    func run() async throws -> String {
        let network = Network(log: "\(directory)/commands.log")
        try await network.make(servers: Self.servers, agents: Self.agents)
        let members = try makeMembers()
        let ledger = Ledger()
        return try await TestTarget.with(host: Network.targetHost, serve: { try await TripTarget.serve(&$0, ledger: ledger) }) { target in
            for name in Self.servers + Self.agents { try members[name]?.start() }
            let log = FaultLog()
            let sockets = members.mapValues(\.socket)
            let parts = Parts(
                members: members,
                traveller: Traveller(port: target.port, ledger: ledger, lag: Lag()) { sockets[$0] ?? "" },
                tally: Tally(log: log, servers: Set(Self.servers), routers: Self.routers), log: log,
                maker: FaultMaker(network: network, members: members))
            try await waitForAgents(members)
            return try await campaign(parts)
        }
    }

    private func makeMembers() throws -> [String: Member] {
        let pki = try TestPKI(directory: directory)
        var members: [String: Member] = [:]
        for name in Self.servers {
            members[name] = try .server(name, of: Self.servers, pki: pki, products: products, directory: directory)
        }
        for (name, servers) in [("a1", ["s1", "s2"]), ("a2", ["s2", "s1"]), ("a3", ["s1", "s2"])] {
            members[name] = try .node(name, servers: servers, pki: pki, products: products, directory: directory)
        }
        members["a4"] = try .konnectivityAgent("a4", server: "s1", pki: pki, products: products, directory: directory)
        return members
    }

    /// Every agent has the connections that it is to have.
    private func waitForAgents(_ members: [String: Member]) async throws {
        try await eventually("the agents are connected", within: .seconds(120)) {
            for (server, count) in [("s1", 4), ("s2", 3)] {
                guard try await members[server]?.metrics(["nestbox_tunnel_agents"]) == [count] else { return false }
            }
            return true
        }
    }

    private func campaign(_ parts: Parts) async throws -> String {
        say("warm-up: \(Self.warmUp.seconds) s of connections, no faults")
        try await load(parts, for: Self.warmUp, from: 0, seed: seed ^ 1)
        let before = try await rest(parts, comparedTo: nil)
        say("after the warm-up: \(describe(before))")
        say("faults for \(time.seconds) s")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.load(parts, for: self.time, from: 1_000_000, seed: self.seed) }
            group.addTask { try await self.faults(parts) }
            group.addTask { try await self.watch(parts) }
            try await group.next()
            try await group.next()
            group.cancelAll()
            while (try? await group.next()) != nil {}
        }
        try await waitForAgents(parts.members)
        let after = try await rest(parts, comparedTo: before)
        say("at the end: \(describe(after))")
        return try verdict(parts, before: before, after: after)
    }

    // MARK: Connections

    private func load(_ parts: Parts, for time: Duration, from firstID: Int, seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let start = ContinuousClock.now
        var id = firstID
        try await withThrowingDiscardingTaskGroup { group in
            while ContinuousClock.now - start < time {
                id += 1
                let trip = Trip(id: id, server: Self.servers[Int.random(in: 0..<3, using: &generator)], using: &generator)
                // One that is stopped takes no connections.
                if parts.members[trip.server]?.isRunning == true {
                    group.addTask { parts.tally.add(await parts.traveller.make(trip)) }
                }
                let wait = -Glibc.log(Double.random(in: 0.0001...1, using: &generator)) / Self.connectionsASecond
                try await Task.sleep(for: .seconds(wait))
            }
            say("no new connections; \(parts.traveller.ledger.open) are open")
        }
    }

    // MARK: Faults

    /// Bursts of faults with calm between them, in which everything is to go well.
    private func faults(_ parts: Parts) async throws {
        var generator = SeededGenerator(seed: seed ^ 2)
        let end = ContinuousClock.now + time - .seconds(45)
        while ContinuousClock.now < end {
            try await Task.sleep(for: .seconds(Double.random(in: 3...15, using: &generator)))
            for _ in 0..<Int.random(in: 1...4, using: &generator) where ContinuousClock.now < end {
                var faults = [fault(&generator)]
                // Now and then another one at the same time, of others.
                if Int.random(in: 0..<3, using: &generator) == 0 {
                    let other = fault(&generator)
                    if other.members.isDisjoint(with: faults[0].members) { faults.append(other) }
                }
                // Short ones, which TCP gets over, and ones long enough to be noticed by silence.
                let long = Bool.random(using: &generator)
                let duration = Duration.seconds(Double.random(in: long ? 18...35 : 1...10, using: &generator))
                try await withThrowingDiscardingTaskGroup { group in
                    for fault in faults { group.addTask { try await self.suffer(fault, for: duration, parts) } }
                }
                try await Task.sleep(for: .seconds(Double.random(in: 1...8, using: &generator)))
            }
            say("calm")
            try await Task.sleep(for: FaultLog.recovery + .seconds(Double.random(in: 15...30, using: &generator)))
        }
    }

    private func fault(_ generator: inout SeededGenerator) -> Fault {
        .random(
            servers: Self.servers, homes: Self.servers.filter { !Self.routers.contains($0) }, agents: Self.agents, immortal: Self.immortal,
            using: &generator)
    }

    private func suffer(_ fault: Fault, for duration: Duration, _ parts: Parts) async throws {
        let index = parts.log.begin(fault.members)
        say("\(fault) for \(duration.seconds) s")
        try await parts.maker.make(fault)
        try await Task.sleep(for: duration)
        try await parts.maker.mend(fault)
        parts.log.end(index)
    }

    private func watch(_ parts: Parts) async throws {
        while true {
            try await Task.sleep(for: .seconds(60))
            let counts = parts.tally.current
            let s1 = try parts.members["s1"]?.holdings()
            let a1 = try parts.members["a1"]?.holdings()
            say(
                "\(counts.fine) fine, \(counts.excused) excused, \(counts.failures.count) failed; s1 \((s1?.resident ?? 0) / 1024) MiB, "
                    + "\(s1?.descriptors ?? 0) descriptors; a1 \((a1?.resident ?? 0) / 1024) MiB, \(a1?.descriptors ?? 0) descriptors")
        }
    }

    // MARK: At rest

    private struct Rest: Sendable {
        var holdings: [String: Holdings] = [:]
        var connections: [String: Int] = [:]
        var dials: [String: Int] = [:]
    }

    /// What members hold once nothing is under way: when that is what they held before, or when a time is over that all of the
    /// tunnel's own timers (60 s for what is half open is the longest) have run out in.
    private func rest(_ parts: Parts, comparedTo before: Rest?) async throws -> Rest {
        let deadline = ContinuousClock.now + .seconds(120)
        // What was given back is counted a little later.
        try await Task.sleep(for: .seconds(10))
        while true {
            let now = try await measure(parts.members)
            let isIdle = now.connections.values.allSatisfy { $0 == 0 } && now.dials.values.allSatisfy { $0 == 0 }
            let isBack = Self.immortal.allSatisfy { name in
                before.map { Self.isBack(now.holdings[name], from: $0.holdings[name]) } ?? true
            }
            if isIdle && isBack || ContinuousClock.now > deadline { return now }
            try await Task.sleep(for: .seconds(2))
        }
    }

    private func measure(_ members: [String: Member]) async throws -> Rest {
        var rest = Rest()
        for (name, member) in members { rest.holdings[name] = try member.holdings() }
        for name in Self.servers {
            let values = try await members[name]?.metrics(["nestbox_tunnel_connections", "nestbox_tunnel_dials_pending"]) ?? []
            rest.connections[name] = values.first
            rest.dials[name] = values.last
        }
        return rest
    }

    /// Descriptors are as many as before; memory is at most a quarter and 8 MiB more.
    private static func isBack(_ now: Holdings?, from before: Holdings?) -> Bool {
        guard let now, let before else { return false }
        return now.descriptors == before.descriptors && now.resident <= bound(before)
    }

    private static func bound(_ before: Holdings) -> Int { before.resident + before.resident / 4 + 8 * 1024 }

    private func describe(_ rest: Rest) -> String {
        rest.holdings.sorted { $0.key < $1.key }.map { name, held in
            let open = rest.connections[name].map { ", \($0) connections" } ?? ""
            return "\(name) \(held.resident) KiB (own \(held.own)), \(held.descriptors) descriptors, \(held.threads) threads\(open)"
        }.joined(separator: "; ")
    }

    private func verdict(_ parts: Parts, before: Rest, after: Rest) throws -> String {
        let counts = parts.tally.current
        var problems = counts.failures
        for name in Self.immortal.sorted() {
            guard parts.members[name]?.hasAlwaysRun == true, let was = before.holdings[name], let held = after.holdings[name] else {
                problems.append("\(name) was started again")
                continue
            }
            if !Self.isBack(held, from: was) {
                problems.append(
                    "\(name) holds \(held.resident) KiB and \(held.descriptors) descriptors, after \(was.resident) and \(was.descriptors)")
            }
        }
        for (name, open) in after.connections where open != 0 { problems.append("\(name) counts \(open) open connections") }
        for (name, dials) in after.dials where dials != 0 { problems.append("\(name) counts \(dials) dials under way") }
        let made = counts.made.values.reduce(0, +)
        let kinds = TripKind.allCases.map { "\($0.rawValue) \(counts.made[$0, default: 0])" }.joined(separator: ", ")
        say("\(made) connections (\(kinds)), \(counts.fine) fine, \(counts.excused) ended by a fault on their way")
        say("slowest answer to a dial: \(counts.slowestAnswer.seconds) s")
        func memory(_ name: String) -> String {
            "\(name) \((before.holdings[name]?.resident ?? 0) / 1024) → \((after.holdings[name]?.resident ?? 0) / 1024) MiB, "
                + "\(before.holdings[name]?.descriptors ?? 0) → \(after.holdings[name]?.descriptors ?? 0) fds"
        }
        let summary =
            "\(made) connections, \(parts.log.count) faults, \(counts.excused) ended by them, slowest answer "
            + "\(counts.slowestAnswer.seconds) s; \(memory("s1")); \(memory("a1"))"
        guard problems.isEmpty else { throw CampaignFailed(summary: summary, problems: problems) }
        return summary
    }
}
