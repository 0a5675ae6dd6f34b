import Foundation
import Testing

@testable import Operator

@Suite("LeaveDecision")
struct LeaveDecisionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var isAlive = true
        var mayHavePods = true
        var isRecorded = false
        var hasSession = true
        var waited: TimeInterval = 10
        var timeout: TimeInterval = 600
        var expected: LeaveDecision
    }

    static let start = Date(timeIntervalSince1970: 1_800_000_000)
    static let deadline = start.addingTimeInterval(600)

    @Test(arguments: [
        Case(testDescription: "a node is drained", expected: .drain),
        Case(testDescription: "after a restart the drain waits for the session", hasSession: false, expected: .wait(until: deadline)),
        Case(testDescription: "and no longer than the pool does", hasSession: false, waited: 600, expected: .handOver),
        Case(testDescription: "an API that fails ends with the pool's patience", waited: 601, expected: .handOver),
        Case(testDescription: "0s is for ever", waited: 1_000_000, timeout: 0, expected: .drain),
        Case(
            testDescription: "0s waits for the session too", hasSession: false, waited: 1_000_000, timeout: 0,
            expected: .wait(until: nil)),
        Case(testDescription: "a cluster's end never drains", isAlive: false, expected: .handOver),
        Case(testDescription: "and never waits", isAlive: false, hasSession: false, timeout: 0, expected: .handOver),
        Case(
            testDescription: "what never was a node waits for no API that did not answer yet", mayHavePods: false, hasSession: false,
            timeout: 0, expected: .handOver),
        Case(testDescription: "and is forgotten where the API answers", mayHavePods: false, timeout: 0, expected: .drain),
        Case(testDescription: "for a while", mayHavePods: false, waited: 601, timeout: 0, expected: .handOver),
        Case(
            testDescription: "what is not cleaned has to be forgotten first", mayHavePods: false, isRecorded: true, hasSession: false,
            timeout: 0, expected: .wait(until: deadline)),
    ])
    func decides(_ it: Case) {
        let decision = LeaveDecision(
            isAlive: it.isAlive, mayHavePods: it.mayHavePods, isRecorded: it.isRecorded, hasSession: it.hasSession, since: Self.start,
            timeout: it.timeout, now: Self.start.addingTimeInterval(it.waited))
        #expect(decision == it.expected)
    }
}
