import KubernetesAPI
import NestboxAPI
import Testing

@testable import Operator

@Suite("What a request does to a Machine")
struct RequestDecisionTests {
    static let claim = MachineClaim(
        namespace: "tenants", nodePool: "workers", nodePoolUID: "p", hostedCluster: "demo", hostedClusterUID: "c", epoch: 3)

    static func machine(_ phase: MachinePhase?, claimed: Bool = true, message: String? = nil) -> Machine {
        let free: [MachinePhase?] = [nil, .available]
        let status = MachineStatus(
            phase: phase,
            conditions: [
                Condition(type: "Reachable", status: "False", reason: "SSHFailed", message: "", lastTransitionTime: "2026-01-01T00:00:00Z"),
                Condition(type: "Clean", status: "False", reason: "Cleaning", message: "", lastTransitionTime: "2026-01-01T00:00:00Z"),
            ], claim: claimed && !free.contains(phase) ? claim : nil, lastTenant: "tenants",
            plan: PlanStatus(name: "Clean", steps: []), message: message)
        return Machine(metadata: ObjectMeta(name: "m", uid: "u"), spec: MachineSpec(), status: status)
    }

    static func request(_ verb: MachineVerb, reason: String? = nil, force: Bool? = nil) -> MachineRequest {
        MachineRequest(id: "1", verb: verb, reason: reason, force: force)
    }

    @Test("What is looked at first is not decided here", arguments: [MachineVerb.check, .logs, .acceptHostKey, .tryKey])
    func looks(verb: MachineVerb) {
        for phase in MachinePhase.allCases { #expect(RequestDecision(Self.request(verb), on: Self.machine(phase)) == nil) }
        #expect(RequestDecision(Self.request(verb), on: Self.machine(nil)) == nil)
    }

    @Test("One that is not registered is neither cleaned nor quarantined", arguments: [MachineVerb.clean, .quarantine, .release])
    func unregistered(verb: MachineVerb) {
        let decision = RequestDecision(Self.request(verb, reason: "r"), on: Self.machine(nil, message: "the key is refused"))
        #expect(decision?.result == .refused && decision?.status == nil)
        #expect(decision?.message == "it is not registered yet: the key is refused")
    }

    @Test(
        "Clean",
        arguments: [
            (MachinePhase.available, false, MachineResult.succeeded, MachinePhase?.some(.cleaning)),
            (.quarantined, false, .succeeded, .cleaning), (.quarantined, true, .succeeded, .cleaning),
            (.claimed, false, .refused, nil), (.joining, false, .refused, nil), (.ready, false, .refused, nil),
            (.ready, true, .succeeded, .draining), (.joining, true, .succeeded, .draining),
            (.draining, false, .succeeded, nil), (.cleaning, true, .succeeded, nil), (.reimaging, true, .refused, nil),
        ])
    func clean(phase: MachinePhase, force: Bool, result: MachineResult, then: MachinePhase?) {
        let decision = RequestDecision(Self.request(.clean, force: force), on: Self.machine(phase))
        #expect(decision?.result == result)
        #expect(decision?.status?.phase == then)
        guard then == .cleaning else { return }
        // From the beginning, with all its patience, and also where nothing says that a node was there.
        #expect(decision?.status?.plan == nil && decision?.status?.conditions?.named("Reachable") == nil)
        #expect(decision?.status?.conditions?.named("Clean")?.lastTransitionTime != "2026-01-01T00:00:00Z")
        var machine = Self.machine(phase)
        machine.status = decision?.status
        #expect(machine.isToBeCleanedWhole)
        #expect(phase == .available || machine.status?.claim?.released == true)
    }

    @Test("Only what is Quarantined is released, and never straight into the inventory", arguments: MachinePhase.allCases)
    func release(phase: MachinePhase) {
        let decision = RequestDecision(Self.request(.release), on: Self.machine(phase))
        guard phase == .quarantined else {
            #expect(decision?.result == .refused && decision?.status == nil)
            return
        }
        #expect(decision?.status?.phase == .cleaning && decision?.status?.quarantineReason == nil)
        var machine = Self.machine(phase)
        machine.status = decision?.status
        #expect(!machine.isToBeCleanedWhole)
    }

    @Test(
        "Quarantine drains first, unless it is to be now",
        arguments: [
            (MachinePhase.available, false, MachinePhase.quarantined), (.cleaning, false, .quarantined), (.reimaging, false, .quarantined),
            (.quarantined, false, .quarantined),
            (.claimed, false, .draining), (.joining, false, .draining), (.ready, false, .draining), (.draining, false, .draining),
            (.ready, true, .quarantined), (.joining, true, .quarantined),
        ])
    func quarantine(phase: MachinePhase, now: Bool, then: MachinePhase) {
        let decision = RequestDecision(Self.request(.quarantine, reason: "a fan is dead", force: now), on: Self.machine(phase))
        #expect(decision?.result == .succeeded)
        #expect(decision?.status?.phase == then)
        #expect(decision?.status?.quarantineReason == "a fan is dead")
        #expect(then == .draining || decision?.status?.message == "a fan is dead")
        if phase != .available, phase != .cleaning, phase != .reimaging, phase != .quarantined {
            #expect(decision?.status?.claim?.released == true)
            // Not undone by asking for more replicas.
            #expect(decision?.status?.claim?.releasedFor == .askedFor)
        }
        #expect(RequestDecision(Self.request(.quarantine), on: Self.machine(phase))?.result == .refused)
    }

    @Test("A request is answered once, and what is none is left alone")
    func pending() throws {
        var machine = Self.machine(.ready)
        #expect(machine.pendingRequest == nil)
        machine.metadata.annotations = [MachineRequest.annotation: try Self.request(.check).annotationText]
        #expect(machine.pendingRequest == Self.request(.check))
        machine.status?.answer = MachineAnswer(id: "1", verb: .check, result: .succeeded)
        #expect(machine.pendingRequest == nil)
        for text in ["", "{", "{\"id\":\"2\"}", "{\"id\":\"2\",\"verb\":\"Explode\"}", "{\"id\":\"a/b\",\"verb\":\"Check\"}"] {
            machine.metadata.annotations = [MachineRequest.annotation: text]
            #expect(machine.pendingRequest == nil, "\(text)")
        }
    }

    @Test("One that nobody holds is cleaned of its last holder's")
    func cleaningClaim() {
        #expect(Self.machine(.quarantined).cleaningClaim == Self.claim)
        let claim = Self.machine(.available).cleaningClaim
        #expect(claim.namespace == "tenants" && claim.nodePool.isEmpty && claim.epoch == 0)
    }
}
