import TestCampaign
import TestLoad

/// What a round did, how long it took, and what was not as it is to be.
struct Diary {
    private(set) var seconds: [String: [Double]] = [:]
    private(set) var problems: [String] = []
    var kills = 0

    mutating func problem(_ words: String) {
        say("PROBLEM \(words)")
        problems.append(words)
    }

    /// Does something under its name in the load's record, and a little beyond: what was broken may show late.
    mutating func keep<Result>(_ name: String, in tenant: CampaignTenant, _ body: () async throws -> Result) async throws -> Result {
        say(name)
        await tenant.log.begins(name)
        let start = ContinuousClock.now
        let result: Result
        do {
            result = try await body()
        } catch {
            await tenant.log.begins(ServiceRecord.rest)
            throw error
        }
        let took = (ContinuousClock.now - start).seconds
        seconds[name, default: []].append(took)
        say("\(name): \(took) s")
        try await Task.sleep(for: .seconds(5))
        await tenant.log.begins(ServiceRecord.rest)
        return result
    }

    /// Reads the ledger back, and says how it went.
    mutating func verdict(of tenant: CampaignTenant, seed: UInt64, _ what: String) async throws -> String {
        let lost = try await tenant.load.lost()
        for words in lost { problem("lost: \(words)") }
        let (record, ledger) = (await tenant.log.record, await tenant.log.ledger)
        for words in record.failures { say("  failed: \(words)") }
        for line in record.table { say(line) }
        say("seed \(seed)")
        let parts = seconds.sorted { $0.key < $1.key }.map { name, times in
            "\(name) ×\(times.count) (\(times.map { "\(Int($0.rounded()))" }.joined(separator: ", ")) s): "
                + "\(record.failed(during: name)) failed, longest gaps \(record.gaps(during: name))"
        }
        let summary =
            "\(what)\(kills > 0 ? ", \(kills) kills of the operator" : ""); \(parts.joined(separator: "; ")); "
            + "\(ledger.acknowledged) writes acknowledged, \(lost.count) lost"
        guard problems.isEmpty else { throw CampaignFailed(summary: summary, problems: problems) }
        return summary
    }
}
