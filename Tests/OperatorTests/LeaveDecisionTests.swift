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
        var isPoweredOff = false
        var isNotMended = false
        var hasSession = true
        var silentFor: TimeInterval?
        var waited: TimeInterval = 10
        var timeout: TimeInterval = 600
        var expected: LeaveDecision
    }

    static let start = Date(timeIntervalSince1970: 1_800_000_000)
    static let deadline = start.addingTimeInterval(600)

    @Test(arguments: [
        Case(testDescription: "a node is drained", expected: .drain(until: deadline)),
        Case(testDescription: "after a restart the drain waits for the session", hasSession: false, expected: .wait(until: deadline)),
        Case(testDescription: "and no longer than the pool does", hasSession: false, waited: 600, expected: .handOver(.timedOut)),
        Case(testDescription: "an API that fails ends with the pool's patience", waited: 601, expected: .handOver(.timedOut)),
        Case(testDescription: "0s is for ever", waited: 1_000_000, timeout: 0, expected: .drain(until: nil)),
        Case(
            testDescription: "0s waits for the session too", hasSession: false, waited: 1_000_000, timeout: 0,
            expected: .wait(until: nil)),
        Case(testDescription: "what could not be mended would not hear of a drain", isNotMended: true, expected: .handOver(.notMended)),
        Case(
            testDescription: "whatever the tenant's API says", isNotMended: true, hasSession: false, timeout: 0,
            expected: .handOver(.notMended)),
        Case(testDescription: "a cluster's end never drains", isAlive: false, expected: .handOver(.clusterGone)),
        Case(testDescription: "and never waits", isAlive: false, hasSession: false, timeout: 0, expected: .handOver(.clusterGone)),
        Case(
            testDescription: "what never was a node waits for no API that did not answer yet", mayHavePods: false, hasSession: false,
            timeout: 0, expected: .handOver(.neverWasNode)),
        Case(
            testDescription: "and is forgotten where the API answers", mayHavePods: false, timeout: 0, expected: .drain(until: deadline)),
        Case(testDescription: "for a while", mayHavePods: false, waited: 601, timeout: 0, expected: .handOver(.timedOut)),
        Case(
            testDescription: "what is not cleaned has to be forgotten first", mayHavePods: false, isRecorded: true, hasSession: false,
            timeout: 0, expected: .wait(until: deadline)),
        Case(
            testDescription: "a node that is not Ready for a moment is drained", silentFor: 20,
            expected: .drain(until: start.addingTimeInterval(290))),
        Case(
            testDescription: "and given up when Kubernetes has given its pods up", silentFor: 300, waited: 200, timeout: 0,
            expected: .handOver(.silent)),
        Case(testDescription: "however short its leaving was", silentFor: 5000, waited: 0, expected: .handOver(.silent)),
        Case(
            testDescription: "what never was a node is not waited for to be Ready", mayHavePods: false, silentFor: 5000,
            expected: .drain(until: deadline)),
        Case(testDescription: "what is off is not drained", isPoweredOff: true, expected: .handOver(.poweredOff)),
    ])
    func decides(_ it: Case) {
        let now = Self.start.addingTimeInterval(it.waited)
        let decision = LeaveDecision(
            isAlive: it.isAlive, mayHavePods: it.mayHavePods, isRecorded: it.isRecorded, isPoweredOff: it.isPoweredOff,
            isNotMended: it.isNotMended,
            hasSession: it.hasSession, silentSince: it.silentFor.map { now.addingTimeInterval(-$0) }, since: Self.start,
            timeout: it.timeout, now: now)
        #expect(decision == it.expected)
    }
}
