import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

@Suite struct UpgradeDecisionTests {
    static let now = Timestamp.parse("2026-03-01T12:00:00Z") ?? .distantPast
    static let version = KubernetesVersion(1, 20, 3)

    static func at(_ seconds: TimeInterval) -> String { Timestamp.format(now.addingTimeInterval(seconds)) }

    static func node(kubelet: String = "v1.20.3", isReady: Bool = true, since: TimeInterval? = nil, heartbeat: TimeInterval = 0) -> Node {
        var ready = StatusCondition(type: "Ready", status: isReady ? "True" : "False", message: "PLEG is not healthy")
        ready.lastHeartbeatTime = at(heartbeat)
        ready.lastTransitionTime = since.map(at)
        var info = NodeSystemInfo()
        info.kubeletVersion = kubelet
        return Node(metadata: ObjectMeta(name: "a"), status: NodeStatus(conditions: [ready], nodeInfo: info))
    }

    static func decide(_ upgrade: MachineUpgrade, _ node: Node?, revision: String = "r", patience: TimeInterval = 600) -> UpgradeDecision {
        UpgradeDecision(upgrade, node: node, version: version, revision: revision, patience: patience, now: now)
    }

    @Test func itDrainsForItsTimeAndThenGoesOn() {
        let begun = MachineUpgrade(revision: "r", startedAt: Self.at(-599))
        #expect(Self.decide(begun, Self.node()) == .drain(until: Self.now.addingTimeInterval(1)))
        #expect(Self.decide(MachineUpgrade(revision: "r", startedAt: Self.at(-600)), Self.node()) == .install)
        #expect(Self.decide(MachineUpgrade(revision: "r", startedAt: Self.at(-9999)), Self.node(), patience: 0) == .drain(until: nil))
        // Nothing can be moved from a node that does not answer, nor from none.
        #expect(Self.decide(begun, Self.node(isReady: false)) == .install)
        #expect(Self.decide(begun, nil) == .install)
    }

    @Test func aNodeThatIsNotReadyForAMomentIsDrainedAllTheSame() {
        let begun = MachineUpgrade(revision: "r", startedAt: Self.at(-400))
        let blink = Self.node(isReady: false, since: -1)
        #expect(Self.decide(begun, blink) == .drain(until: Self.now.addingTimeInterval(200)))
        #expect(Self.decide(begun, blink, patience: 0) == .drain(until: Self.now.addingTimeInterval(299)))
        #expect(Self.decide(begun, blink, patience: 399) == .install)
        // Kubernetes itself has marked its pods for deletion by then.
        #expect(Self.decide(begun, Self.node(isReady: false, since: -300), patience: 0) == .install)
    }

    @Test func itIsOverWhenTheNewKubeletSaysSo() {
        let installed = MachineUpgrade(revision: "r", startedAt: Self.at(-100), drainedAt: Self.at(-50), kubeletStartedAt: Self.at(-10))
        #expect(Self.decide(installed, Self.node()) == .finish)
        #expect(Self.decide(installed, Self.node(heartbeat: -10)) == .finish)
        // Ready, said the old one.
        #expect(Self.decide(installed, Self.node(heartbeat: -11)) == .verify("its Node was not heard of since the kubelet started"))
        #expect(Self.decide(installed, Self.node(kubelet: "v1.20.2")) == .verify("its Node reports kubelet v1.20.2"))
        #expect(
            Self.decide(installed, Self.node(isReady: false))
                == .verify("its Node is not Ready in the tenant's cluster: PLEG is not healthy"))
        #expect(Self.decide(installed, nil) == .verify("its Node is not there yet"))
    }

    @Test func whatNobodyWantsAnyMoreWaitsToBeTurnedRound() {
        for upgrade in [
            MachineUpgrade(revision: "r", startedAt: Self.at(-10)),
            MachineUpgrade(revision: "r", startedAt: Self.at(-10), drainedAt: Self.at(-5)),
            MachineUpgrade(revision: "r", startedAt: Self.at(-10), drainedAt: Self.at(-5), kubeletStartedAt: Self.at(-4)),
        ] {
            #expect(Self.decide(upgrade, Self.node(), revision: "other") == .wait)
        }
    }

    @Test func whatFailedIsANodeAgain() {
        let failed = MachineUpgrade(revision: "r", startedAt: Self.at(-10), drainedAt: Self.at(-5), failure: "no", failedAt: Self.at(-1))
        #expect(Self.decide(failed, Self.node()) == .fallBack)
        #expect(Self.decide(failed, Self.node(), revision: "other") == .fallBack)
    }
}
