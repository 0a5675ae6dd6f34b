import TestCampaign
import TestCommands

/// Two pools of one tenant, one upgraded in place and one by replacing, that share six machines and one to spare; the machines break
/// while the pools are scaled, upgraded and repaired.
struct PoolRound: Sendable {
    static let pools = ["inplace", "replace"]
    static let sizes = [3, 2]
    static let machines = 6
    /// How long the pools may take to come to rest once no fault goes on.
    static let patience = Duration.seconds(720)

    let time: Duration
    let seed: UInt64
    let pooled: PoolLab

    static let manifests = [
        manifest("inplace", replicas: sizes[0], upgrade: "{type: InPlace, maxUnavailable: 1, readyTimeout: 5m}"),
        manifest("replace", replicas: sizes[1], upgrade: "{type: Replace, maxSurge: 1, maxUnavailable: 1, readyTimeout: 5m}"),
    ]

    private static func manifest(_ name: String, replicas: Int, upgrade: String) -> String {
        """
        apiVersion: nestbox.dev/v1alpha1
        kind: NodePool
        metadata: {name: \(name), namespace: default}
        spec:
          clusterName: demo
          replicas: \(replicas)
          version: \(PoolLab.hostVersion)
          upgrade: \(upgrade)
          drainTimeout: 2m
          autoRepair: {enabled: true, unhealthyTimeout: 60s, maxConcurrent: 2, maxUnhealthy: 2}
          nodeConfiguration: {kubelet: {evictionPressureTransitionPeriod: 20s}}
        """
    }

    /// What one episode came to.
    struct Line: Sendable {
        var episode: Episode
        var rest: Double
        var acts: Int
    }

    /// What the round came to, in one line; throws when it failed.
    func run() async throws -> String {
        var schedule = PoolSchedule(seed: seed, machines: Self.machines, sizes: Self.sizes)
        var sizes = Self.sizes
        var versions = [PoolLab.hostVersion, PoolLab.hostVersion]
        var lines: [Line] = []
        _ = try await pooled.rest(Dictionary(uniqueKeysWithValues: zip(Self.pools, sizes)), within: .seconds(300))
        let end = ContinuousClock.now + time
        do {
            // One that began late would end late.
            while ContinuousClock.now + .seconds(150) < end {
                let episode = schedule.next()
                sizes = schedule.sizes
                say("episode \(episode.number): \(describe(episode))")
                try await order(episode.operation, versions: &versions)
                try await suffer(episode)
                let calm = ContinuousClock.now
                let acts = try await pooled.rest(Dictionary(uniqueKeysWithValues: zip(Self.pools, sizes)), within: Self.patience)
                lines.append(Line(episode: episode, rest: (ContinuousClock.now - calm).seconds, acts: acts))
                say("episode \(episode.number): at rest \((ContinuousClock.now - calm).seconds) s after its last fault")
            }
        } catch let error as PoolLab.Restless {
            await pooled.witness.problem("\(error)")
            await pooled.tellState()
        }
        return try await verdict(lines)
    }

    private func order(_ operation: Operation, versions: inout [String]) async throws {
        switch operation {
        case .scale(let pool, let from, let to):
            await pooled.witness.asked(Self.pools[pool], from: from, to: to)
            try await pooled.lab.host.nestbox("scale", "nodepool", Self.pools[pool], "--replicas", "\(to)")
        case .upgrade(let pool):
            versions[pool] = versions[pool] == PoolLab.hostVersion ? PoolLab.otherVersion : PoolLab.hostVersion
            await pooled.witness.askedToRoll(Self.pools[pool])
            try await pooled.lab.host.kubectl(
                "patch", "nodepool", Self.pools[pool], "--type=merge", "-p", "{\"spec\": {\"version\": \"\(versions[pool])\"}}")
        case .repair: break
        }
    }

    /// All faults of an episode, each at its time, to the end of the last.
    private func suffer(_ episode: Episode) async throws {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup { group in
            for planned in episode.faults {
                group.addTask {
                    try await Task.sleep(until: start + .seconds(planned.start), clock: .continuous)
                    let machine = "worker-\(planned.machine)"
                    let index = await pooled.witness.faultBegan(planned.fault, on: machine, during: episode.operation.kind)
                    try await pooled.lab.begin(planned.fault, on: machine)
                    try await Task.sleep(for: .seconds(planned.length))
                    try await pooled.lab.end(planned.fault, on: machine)
                    await pooled.witness.faultEnded(index)
                }
            }
            try await group.waitForAll()
        }
    }

    private func describe(_ episode: Episode) -> String {
        let faults = episode.faults.map { "\($0.start) s \($0.fault.rawValue) worker-\($0.machine) \($0.length) s" }
        let operation =
            switch episode.operation {
            case .scale(let pool, let from, let to): "scale \(Self.pools[pool]) from \(from) to \(to)"
            case .upgrade(let pool): "upgrade \(Self.pools[pool])"
            case .repair: "repair"
            }
        return "\(operation); \(faults.joined(separator: ", "))"
    }

    private func verdict(_ lines: [Line]) async throws -> String {
        // The last pods that went are judged, too.
        try await Task.sleep(for: .seconds(Judge.skew + 1))
        await pooled.witness.see(processes: [:])
        let judge = await pooled.witness.judge
        say("seed \(seed)")
        for line in lines {
            say("| \(line.episode.number) | \(describe(line.episode)) | at rest after \(line.rest) s | a person acted \(line.acts) times |")
        }
        for line in FaultTable(judge.faults).lines { say(line) }
        let rests = lines.map(\.rest).sorted()
        let summary =
            "\(judge.faults.count) faults (\(FaultTable(judge.faults).summary)) in \(lines.count) episodes; at rest "
            + "\(rests.isEmpty ? 0 : rests[rests.count / 2]) s after the last fault (median), \(rests.last ?? 0) s at most; "
            + "\(judge.replacements) machines replaced, \(judge.quarantines) quarantined, \(judge.departures) pods moved, "
            + "\(lines.map(\.acts).reduce(0, +)) times a person's hand"
        guard judge.problems.isEmpty else { throw CampaignFailed(summary: summary, problems: judge.problems) }
        return summary
    }
}

/// How many faults of each kind there were, during which operation.
struct FaultTable: Sendable {
    private let counts: [MachineFault: [String: Int]]
    private static let operations = ["scale", "upgrade", "repair"]

    init(_ faults: [FaultRecord]) {
        var counts: [MachineFault: [String: Int]] = [:]
        for fault in faults { counts[fault.fault, default: [:]][fault.during, default: 0] += 1 }
        self.counts = counts
    }

    var lines: [String] {
        ["| fault | \(Self.operations.joined(separator: " | ")) |"]
            + MachineFault.allCases.map { fault in
                "| \(fault.rawValue) | \(Self.operations.map { "\(counts[fault]?[$0] ?? 0)" }.joined(separator: " | ")) |"
            }
    }

    var summary: String {
        MachineFault.allCases.compactMap { fault in
            counts[fault].map { "\(fault.rawValue) \($0.values.reduce(0, +))" }
        }.joined(separator: ", ")
    }
}
