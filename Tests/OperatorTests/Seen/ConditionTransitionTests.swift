import ControllerRuntime
import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite struct ConditionTransitionTests {
    private static func list(_ conditions: [(String, String, String)]) -> [Condition] {
        conditions.map { Condition(type: $0.0, status: $0.1, reason: $0.2, message: "why", lastTransitionTime: "") }
    }

    private static func told(_ old: [(String, String, String)]?, _ new: [(String, String, String)]) -> [String] {
        ConditionTransition.between(old.map(list), list(new), types: HostedCluster.conditionTypes + NodePool.conditionTypes)
            .map { "\($0.type.rawValue) \($0.reason) \($0.message)" }
    }

    @Test func whatGetsWorseIsAWarningAndWhatGetsBetterIsNot() {
        #expect(
            Self.told([("Available", "True", "Serving")], [("Available", "False", "NotServing")]) == [
                "Warning NotServing Available is False: why"
            ])
        #expect(
            Self.told([("Available", "False", "NotServing")], [("Available", "True", "Serving")]) == [
                "Normal Serving Available is True: why"
            ])
        #expect(
            Self.told([("ControlPlaneLost", "False", "Restored")], [("ControlPlaneLost", "True", "ControlPlaneLost")])
                == ["Warning ControlPlaneLost ControlPlaneLost is True: why"])
    }

    @Test func nothingIsSaidTwice() {
        let bad = [("Available", "False", "NotServing")]
        #expect(Self.told(bad, bad) == [])
        #expect(Self.told([("Available", "True", "Serving")], [("Available", "True", "Other")]) == [], "good as it was")
        #expect(
            Self.told(bad, [("Available", "False", "ControlPlaneLost")]) == ["Warning ControlPlaneLost Available is False: why"],
            "a reason that gets worse")
    }

    @Test func aBeginningIsNoAlarm() {
        #expect(Self.told([], [("EtcdAvailable", "False", "NotReady")]) == ["Normal NotReady EtcdAvailable is False: why"])
        #expect(Self.told([], [("EtcdAvailable", "False", "NoStorageClass")]) == ["Warning NoStorageClass EtcdAvailable is False: why"])
        #expect(Self.told(nil, [("Published", "True", "NodePort"), ("NetworkPolicyEnforced", "False", "BuiltInNetwork")]) == [])
        let down = [("ClusterDNSAvailable", "False", "NotAvailable")]
        let noNodes = [("ClusterDNSAvailable", "Unknown", "NoNodes")]
        #expect(Self.told([], noNodes) == ["Normal NoNodes ClusterDNSAvailable is Unknown: why"])
        #expect(Self.told(noNodes, down) == ["Normal NotAvailable ClusterDNSAvailable is False: why"], "it starts with the first node")
        #expect(
            Self.told([("ClusterDNSAvailable", "True", "Available")], down) == ["Warning NotAvailable ClusterDNSAvailable is False: why"])
        #expect(Self.told(nil, [("ValidConfiguration", "False", "Invalid")]) == ["Warning Invalid ValidConfiguration is False: why"])
    }

    @Test func whatSomebodyAskedForIsNoAlarm() {
        #expect(
            Self.told([("RolloutPaused", "False", "NotPaused")], [("RolloutPaused", "True", "Requested")])
                == ["Normal Requested RolloutPaused is True: why"])
        #expect(
            Self.told([("RolloutPaused", "True", "Requested")], [("RolloutPaused", "True", "MachineFailed")])
                == ["Warning MachineFailed RolloutPaused is True: why"])
        #expect(Self.told([], [("Unlisted", "False", "X")]) == [])
    }

    @Test func aMachineTellsOfItsPhases() {
        let claim = MachineClaim(namespace: "t", nodePool: "w", nodePoolUID: "", hostedCluster: "", hostedClusterUID: "", epoch: 1)
        let old = Machine(metadata: ObjectMeta(name: "m"), status: MachineStatus(phase: .ready, claim: claim))
        var new = old
        #expect(MachinePhaseEvents.transitions(of: .updated(old: old, new: new)) == [])
        new.status?.phase = .draining
        #expect(
            MachinePhaseEvents.transitions(of: .updated(old: old, new: new)).map(\.message)
                == ["went from Ready to Draining, held by t/w"])
        new.status?.conditions = Self.list([("ArtifactsAvailable", "False", "ArtifactsMissing"), ("Draining", "True", "Released")])
        #expect(
            MachinePhaseEvents.transitions(of: .updated(old: old, new: new)).map(\.type) == [.normal, .warning])
        #expect(MachinePhaseEvents.transitions(of: .added(new)) == [], "what was so before the operator came is not told again")
    }
}
