import FoundationEssentials
import KubernetesAPI
import NestboxAPI
import Testing

@Suite struct ConditionTests {
    static let first = Date(timeIntervalSince1970: 1_000_000)
    static let later = Date(timeIntervalSince1970: 2_000_000)

    @Test func keepsTheTimeWhileTheStatusStays() {
        var conditions = ConditionSet(nil, generation: 1, now: Self.first)
        conditions.set("Available", true, reason: "Serving", message: "it serves")
        var again = ConditionSet(conditions.list, generation: 2, now: Self.later)
        again.set("Available", true, reason: "Served", message: "it still does")
        #expect(
            again.list == [
                Condition(
                    type: "Available", status: "True", reason: "Served", message: "it still does", observedGeneration: 2,
                    lastTransitionTime: "1970-01-12T13:46:40Z")
            ])
        again.set("Available", false, reason: "Gone", message: "")
        #expect(again.list.first?.lastTransitionTime == "1970-01-24T03:33:20Z")
    }

    @Test func aPassThatLearnsNothingLeavesAnEqualList() {
        var conditions = ConditionSet(nil, generation: 1, now: Self.first)
        conditions.set("A", true, reason: "R", message: "m")
        conditions.setUnknown("B", reason: "R", message: "m")
        var again = ConditionSet(conditions.list, generation: 1, now: Self.later)
        again.setUnknown("B", reason: "R", message: "m")
        again.set("A", true, reason: "R", message: "m")
        #expect(again.list == conditions.list)
        #expect(again.list.map(\.status) == ["True", "Unknown"])
    }

    @Test func whatIsSetAndTakenBackHasNotChanged() {
        var conditions = ConditionSet(nil, generation: 1, now: Self.first)
        conditions.set("A", false, reason: "R", message: "m")
        var again = ConditionSet(conditions.list, generation: 1, now: Self.later)
        again.set("A", true, reason: "R", message: "")
        again.set("A", false, reason: "R", message: "m")
        #expect(again.list == conditions.list)
    }

    @Test func staysInTheOrderOfFirstSetting() {
        var conditions = ConditionSet(nil, generation: nil, now: Self.first)
        for type in ["C", "A", "B"] { conditions.set(type, true, reason: "R", message: "") }
        conditions.set("A", false, reason: "R", message: "")
        #expect(conditions.list.map(\.type) == ["C", "A", "B"])
        conditions.remove("C")
        conditions.remove("never there")
        conditions.set("C", true, reason: "R", message: "")
        #expect(conditions.list.map(\.type) == ["A", "B", "C"])
    }

    @Test func messagesFitTheirSchema() throws {
        var conditions = ConditionSet(nil, generation: nil, now: Self.first)
        conditions.set("A", false, reason: "R", message: String(repeating: "é", count: 40_000))
        let schema = try #require(
            try SchemaTests.kinds[0].schema["properties"]?["status"]?["properties"]?["conditions"]?["items"])
        #expect(SchemaCheck.problems(of: try JSONValue(encoding: conditions.list[0]), in: schema).isEmpty)
        #expect(conditions.list[0].message.hasSuffix("…"))
    }

    @Test func saysWhatIsMissing() {
        var conditions = ConditionSet(nil, generation: nil, now: Self.first)
        conditions.set("Good", true, reason: "R", message: "fine")
        conditions.set("Bad", false, reason: "Broken", message: "etcd is away")
        conditions.set("Terse", false, reason: "Broken", message: "")
        conditions.setUnknown("Unsure", reason: "Asking", message: "")
        let list = conditions.list
        #expect(list.missing("Good") == nil)
        #expect(list.missing("Bad") == "etcd is away")
        #expect(list.missing("Terse") == "Broken")
        #expect(list.missing("Unsure") == "Asking")
        #expect(list.missing("Never") == "Never is not known yet")
        #expect(list.named("Bad")?.reason == "Broken" && list.named("Never") == nil)
    }
}
