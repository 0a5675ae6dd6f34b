import TestLoad
import Testing

@Suite("How a service was, as its client saw it")
struct ServiceRecordTests {
    @Test func theLongestGapIsTheOneOfWhatWentOn() {
        var record = ServiceRecord()
        for moment in [0, 0.5, 1] { record.succeeded(.list, at: moment) }
        record.begins("upgrade", at: 1.2)
        record.succeeded(.list, at: 4)
        record.succeeded(.list, at: 4.5)
        record.begins(ServiceRecord.rest, at: 5)
        record.succeeded(.list, at: 5.1)
        #expect(record.tallies["upgrade"]?[.list]?.gap == 3)
        #expect(record.tallies[ServiceRecord.rest]?[.list]?.gap == 0.6)
        #expect(record.tallies["upgrade"]?[.list]?.succeeded == 2)
    }

    @Test func whatIsStillOutCountsForWhatEndsAndForWhatBegins() {
        var record = ServiceRecord()
        record.succeeded(.update, at: 0)
        record.begins("kill all", at: 1)
        record.begins(ServiceRecord.rest, at: 9)
        record.succeeded(.update, at: 12)
        #expect(record.tallies["kill all"]?[.update]?.gap == 9)
        #expect(record.tallies[ServiceRecord.rest]?[.update]?.gap == 12)
    }

    @Test func failuresAreCountedAndTheFirstAreKept() {
        var record = ServiceRecord()
        record.begins("scale to 3", at: 1)
        for moment in 0..<150 { record.failed(.create, at: Double(moment), "refused") }
        #expect(record.failed(during: "scale to 3") == 150)
        #expect(record.failed(during: ServiceRecord.rest) == 0)
        #expect(record.failures.count == 100 && record.failures[0] == "0.0 scale to 3: create: refused")
    }

    @Test func theTableHasWhatWasAskedFor() {
        var record = ServiceRecord()
        record.succeeded(.list, at: 0)
        record.succeeded(.update, at: 0)
        record.failed(.update, at: 1, "refused")
        #expect(
            record.table == [
                "| during | list: done, failed, longest gap | update: done, failed, longest gap |", "|---|---|---|",
                "| rest | 1, 0, 0.0 s | 1, 1, 0.0 s |",
            ])
    }
}

@Suite("Acknowledged writes, read back")
struct LedgerTests {
    private func ledger() -> Ledger {
        var ledger = Ledger()
        ledger.acknowledged("a", 3)
        ledger.tried("a", 4)
        ledger.tried("b", 1)
        ledger.acknowledged(created: "item-1")
        return ledger
    }

    static let found: [(counters: [String: Int], items: [String], expected: [String])] = [
        (["a": 3], ["item-1"], []), (["a": 4, "b": 1], ["item-1", "item-2"], []),
        (["a": 2], ["item-1"], ["a is 2, and 3 was acknowledged"]),
        (["a": 5], ["item-1"], ["a is 5, and nobody wrote more than 4"]),
        (["b": 0], ["item-1"], ["a is gone, which was acknowledged at 3"]),
        (["a": 3], [], ["item-1 is gone, whose creation was acknowledged"]),
    ]

    @Test(arguments: found)
    func lost(counters: [String: Int], items: [String], expected: [String]) {
        #expect(ledger().lost(counters: counters, created: Set(items)) == expected)
    }

    @Test func aReadIsHeldToWhatWasKnownWhenItBegan() {
        let before = ledger()
        var now = before
        now.acknowledged("a", 5)
        #expect(now.contradiction(of: "a", 4) != nil)
        #expect(now.contradiction(of: "a", 4, since: before) == nil)
        #expect(now.contradiction(of: "a", 2, since: before) != nil)
        now.acknowledged(created: "item-2")
        #expect(now.lost(counters: ["a": 4], created: ["item-1"], since: before) == [])
        #expect(now.acknowledged == 4)
    }
}
