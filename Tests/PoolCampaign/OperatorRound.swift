import TestCampaign
import TestCommands

/// Ten machines, or as many as there are, join, are upgraded and go back, again and again, while the operator's processes are killed at random.
struct OperatorRound: Sendable {
    /// Kills during one operation; after them it may end in peace.
    static let killsAnOperation = 12
    static let patience = Duration.seconds(900)
    static let manifest = """
        apiVersion: nestbox.dev/v1alpha1
        kind: NodePool
        metadata: {name: ten, namespace: default}
        spec:
          clusterName: demo
          replicas: 0
          version: \(PoolLab.hostVersion)
          upgrade: {type: Replace, maxUnavailable: 5, readyTimeout: 10m}
          drainTimeout: 3m
          autoRepair: {enabled: true, unhealthyTimeout: 60s, maxConcurrent: 2}
        """

    let time: Duration
    let seed: UInt64
    let pooled: PoolLab

    private var machines: Int { pooled.machines.count }

    /// What is killed at once.
    enum Victim: String, Sendable, CaseIterable {
        case machines, controlPlanes = "control-planes", both

        var roles: [String] { self == .both ? ["machines", "control-planes"] : [rawValue] }
    }

    private struct Tally {
        var kills: [String: Int] = [:]
        var rests: [String: [Double]] = [:]
        var total: Int { kills.values.reduce(0, +) }
    }

    func run() async throws -> String {
        var generator = SeededGenerator(seed: seed)
        var tally = Tally()
        var isInPlace = true
        let end = ContinuousClock.now + time
        do {
            while ContinuousClock.now + .seconds(300) < end {
                await pooled.witness.asked("ten", from: 0, to: machines)
                try await operate("scale-up", machines, &tally, &generator) {
                    try await pooled.lab.host.nestbox("scale", "nodepool", "ten", "--replicas", "\(machines)")
                }
                // In turn: what is drained and cleaned, and what stays.
                isInPlace.toggle()
                let (type, version) = isInPlace ? ("InPlace", PoolLab.hostVersion) : ("Replace", PoolLab.otherVersion)
                await pooled.witness.askedToRoll("ten")
                try await operate("upgrade \(type)", machines, &tally, &generator) {
                    try await pooled.lab.host.kubectl(
                        "patch", "nodepool", "ten", "--type=merge", "-p",
                        "{\"spec\": {\"version\": \"\(version)\", \"upgrade\": {\"type\": \"\(type)\"}}}")
                }
                await pooled.witness.asked("ten", from: machines, to: 0)
                try await operate("scale-down", 0, &tally, &generator) {
                    try await pooled.lab.host.nestbox("scale", "nodepool", "ten", "--replicas", "0")
                }
            }
        } catch let error as PoolLab.Restless {
            await pooled.witness.problem("\(error)")
            await pooled.tellState()
        }
        return try await verdict(tally)
    }

    /// Asks for something, and kills until it is done.
    private func operate(
        _ name: String, _ size: Int, _ tally: inout Tally, _ generator: inout SeededGenerator, _ order: () async throws -> Void
    ) async throws {
        say("\(name)")
        let start = ContinuousClock.now
        try await order()
        var kills = 0
        var next = ContinuousClock.now + pause(&generator)
        while kills < Self.killsAnOperation {
            try await Task.sleep(for: .milliseconds(500))
            if await pooled.witness.judge.lacking(sizes: ["ten": size]).isEmpty, ContinuousClock.now - start > .seconds(10) { break }
            guard .now >= next else { continue }
            let victim = Victim.allCases[Int.random(in: 0..<Victim.allCases.count, using: &generator)]
            for role in victim.roles where try await pooled.lab.killOperator(role) {
                say("  killed \(role)")
                kills += 1
            }
            next = .now + pause(&generator)
        }
        tally.kills[name, default: 0] += kills
        let acts = try await pooled.rest(["ten": size], within: Self.patience)
        if acts > 0 { await pooled.witness.problem("\(name): a person's hand was needed \(acts) times") }
        tally.rests[name, default: []].append((ContinuousClock.now - start).seconds)
        say("\(name): done after \((ContinuousClock.now - start).seconds) s and \(kills) kills")
    }

    /// A dead leader's lease goes on for 15 s: some die before they lead, some in the middle of their work.
    private func pause(_ generator: inout SeededGenerator) -> Duration { .seconds(Double.random(in: 3...32, using: &generator)) }

    private func verdict(_ tally: Tally) async throws -> String {
        try await Task.sleep(for: .seconds(Judge.skew + 1))
        await pooled.witness.see(processes: [:])
        let judge = await pooled.witness.judge
        say("seed \(seed)")
        say("| operation | kills | seconds |")
        for (name, kills) in tally.kills.sorted(by: { $0.key < $1.key }) {
            say("| \(name) | \(kills) | \((tally.rests[name] ?? []).map { "\($0)" }.joined(separator: ", ")) |")
        }
        let seconds = tally.rests.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.map { "\(Int($0))" }.joined(separator: ", ")) s" }
        let summary =
            "\(machines) machines; \(tally.total) kills; \(seconds.joined(separator: "; ")); \(judge.departures) pods moved, \(judge.replacements) machines "
            + "replaced, \(judge.quarantines) quarantined"
        guard judge.problems.isEmpty else { throw CampaignFailed(summary: summary, problems: judge.problems) }
        return summary
    }
}
