import Foundation
import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("RepairDecision")
struct RepairDecisionTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    static func time(_ secondsAgo: TimeInterval) -> String { Timestamp.format(now.addingTimeInterval(-secondsAgo)) }

    static func status(_ state: RepairState, since: TimeInterval = 100, attempts: Int? = nil, last: TimeInterval? = nil) -> RepairStatus {
        RepairStatus(state: state, since: time(since), attempts: attempts, lastAttempt: last.map(time))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var isReady = false
        /// For how long the Node has been as it is.
        var age: TimeInterval? = 700
        var repair: RepairStatus?
        var enabled = true
        var timeout = "10m"
        var expected: RepairDecision
    }

    @Test(arguments: [
        Case(testDescription: "a Ready node is left alone", isReady: true, expected: .nothing),
        Case(testDescription: "and so is one whose pool repairs nothing", enabled: false, expected: .nothing),
        Case(
            testDescription: "one that is unwell for a while is waited for", age: 100, expected: .wait(until: now.addingTimeInterval(500))),
        Case(testDescription: "as long as its pool says", age: 100, timeout: "1m", expected: .begin(attempts: 0)),
        Case(testDescription: "since nobody knows when: from now on", age: nil, expected: .wait(until: now.addingTimeInterval(600))),
        Case(testDescription: "then it is looked at", expected: .begin(attempts: 0)),
        Case(testDescription: "what is under way goes on", repair: status(.mending), expected: .nothing),
        Case(testDescription: "what was given up is the pool's to replace", repair: status(.notMended), expected: .nothing),
        Case(testDescription: "a node that came back is mended", isReady: true, repair: status(.mending), expected: .mended),
        Case(testDescription: "also after it was given up", isReady: true, repair: status(.notMended), expected: .mended),
        Case(testDescription: "once", isReady: true, repair: status(.mended), expected: .nothing),
        Case(testDescription: "turned off, mending ends", repair: status(.mending), enabled: false, expected: .callOff),
        Case(testDescription: "turned off, nothing is to be replaced", repair: status(.notMended), enabled: false, expected: .callOff),
        Case(
            testDescription: "a relapse goes on where the illness ended", repair: status(.mended, attempts: 2, last: 1000),
            expected: .begin(attempts: 2)),
        Case(
            testDescription: "a new illness begins anew", repair: status(.mended, attempts: 2, last: 700 + 1900),
            expected: .begin(attempts: 0)),
    ])
    func decides(_ it: Case) {
        let decision = RepairDecision(
            isReady: it.isReady, since: it.age.map { Self.now.addingTimeInterval(-$0) }, repair: it.repair,
            settings: AutoRepairSpec(enabled: it.enabled, unhealthyTimeout: it.timeout), now: Self.now)
        #expect(decision == it.expected)
    }

    @Test func nodesSpeakForThemselvesCleanly() {
        func node(_ status: String, _ message: String) -> Node {
            Node(
                metadata: ObjectMeta(name: "a"),
                status: NodeStatus(conditions: [
                    StatusCondition(type: "MemoryPressure", status: "False"),
                    StatusCondition(type: "Ready", status: status, message: message),
                ]))
        }
        #expect(NodeHealth(nil).reason == "NodeGone")
        #expect(NodeHealth(node("True", "kubelet is posting ready status")) == NodeHealth(node("True", "")))
        #expect(NodeHealth(node("Unknown", "")).reason == "NodeStatusUnknown")
        #expect(NodeHealth(Node(metadata: ObjectMeta(name: "a"))).reason == "NodeStatusUnknown")
        let unwell = NodeHealth(node("False", "container runtime\n\u{1b}[31mis down" + String(repeating: "!", count: 5000)))
        #expect(unwell.reason == "NodeNotReady" && !unwell.isReady && unwell.message.unicodeScalars.count < 600)
        #expect(!unwell.message.contains("\u{1b}") && !unwell.message.contains("\n"))
    }
}

@Suite("MendingDecision")
struct MendingDecisionTests {
    static let now = RepairDecisionTests.now

    @Test(arguments: [
        ("at once", RepairDecisionTests.status(.mending, since: 1), true, MendingDecision.look(restartsAll: false)),
        (
            "not for an illness of long ago", RepairDecisionTests.status(.mending, since: 1, attempts: 0, last: 9000), true,
            .look(restartsAll: false)
        ),
        (
            "then the Node has a minute", RepairDecisionTests.status(.mending, since: 70, attempts: 1, last: 20), true,
            .wait(until: now.addingTimeInterval(40))
        ),
        ("then more is tried", RepairDecisionTests.status(.mending, since: 140, attempts: 1, last: 61), true, .look(restartsAll: true)),
        (
            "one that does not answer is asked sooner", RepairDecisionTests.status(.mending, attempts: 1, last: 21), false,
            .look(restartsAll: true)
        ),
        ("three times", RepairDecisionTests.status(.mending, since: 300, attempts: 3, last: 61), true, .giveUp),
        (
            "after the Node had its minute", RepairDecisionTests.status(.mending, since: 300, attempts: 3, last: 60 - 1), true,
            .wait(until: now.addingTimeInterval(1))
        ),
        ("a quarter of an hour is enough", RepairDecisionTests.status(.mending, since: 901, attempts: 1, last: 400), true, .giveUp),
        (
            "one that was given up is looked at now and then", RepairDecisionTests.status(.notMended, since: 900, attempts: 3, last: 200),
            true,
            .wait(until: now.addingTimeInterval(100))
        ),
        (
            "for it may have come back", RepairDecisionTests.status(.notMended, since: 900, attempts: 3, last: 301), false,
            .look(restartsAll: true)
        ),
        ("a well one is let be", RepairDecisionTests.status(.mended, attempts: 3, last: 1), true, .nothing),
    ])
    func decides(what: String, repair: RepairStatus, isReachable: Bool, expected: MendingDecision) {
        #expect(MendingDecision(repair, isReachable: isReachable, now: Self.now) == expected, "\(what)")
    }
}
