import KubernetesAPI
import NestboxAPI

/// What a request does to a Machine's status, where that needs no look at the machine itself. Pure.
struct RequestDecision: Equatable {
    var result: MachineResult
    /// What is done now, or why it is not, in a sentence.
    var message: String
    /// Nil when nothing changes.
    var status: MachineStatus?

    private init(_ result: MachineResult, _ message: String, _ status: MachineStatus? = nil) {
        self.result = result
        self.message = message
        self.status = status
    }

    /// Nil for what needs a look.
    init?(_ request: MachineRequest, on machine: Machine) {
        if machine.joinsByCommand, request.verb != .quarantine {
            self.init(.refused, Self.notReached(machine))
            return
        }
        guard let status = machine.status, let phase = status.phase else {
            switch request.verb {
            case .clean, .quarantine, .release:
                self.init(.refused, "it is not registered yet" + (machine.status?.message.map { ": \($0)" } ?? ""))
            case .check, .logs, .acceptHostKey, .tryKey: return nil
            }
            return
        }
        switch request.verb {
        case .check, .logs, .acceptHostKey, .tryKey: return nil
        case .quarantine: self = Self.quarantine(status, phase, request)
        case .clean: self = Self.clean(status, phase, machine, isForced: request.force == true)
        case .release: self = Self.release(status, phase, machine)
        }
    }

    private static func notReached(_ machine: Machine) -> String {
        "it joins by a command, and the operator cannot reach it: what is to be cleaned its owner cleans (nestbox token command "
            + "\(machine.name)), or installs anew (nestbox machine reimaged \(machine.name))"
    }

    private static func quarantine(_ old: MachineStatus, _ phase: MachinePhase, _ request: MachineRequest) -> RequestDecision {
        var status = old
        let reason = String(request.reason?.prefix(1000) ?? "")
        guard !reason.isEmpty else { return RequestDecision(.refused, "a reason is needed, for whoever finds it so") }
        status.quarantineReason = reason
        switch phase {
        case .claimed, .joining, .ready, .upgrading, .draining:
            status.claim?.released = true
            status.claim?.releasedFor = .askedFor
            guard request.force == true else {
                status.phase = .draining
                return RequestDecision(.succeeded, "its node is drained first, and it is Quarantined then, as it is", status)
            }
            status.phase = .quarantined
            status.message = reason
            return RequestDecision(.succeeded, "it is Quarantined; its node was not drained", status)
        case .cleaning, .available, .quarantined, .reimaging:
            status.phase = .quarantined
            status.message = reason
            return RequestDecision(
                .succeeded, phase == .quarantined ? "it was Quarantined already; the reason is new" : "it is Quarantined", status)
        }
    }

    private static func clean(_ old: MachineStatus, _ phase: MachinePhase, _ machine: Machine, isForced: Bool) -> RequestDecision {
        switch phase {
        case .available, .quarantined:
            return RequestDecision(
                .succeeded, "it is cleaned, and Available once a check found nothing",
                cleaning(old, machine, reason: MachineCleaning.requested))
        case .claimed, .joining, .ready, .upgrading:
            let holder = old.claim.map { "\($0.namespace)/\($0.nodePool)" } ?? "a pool"
            guard isForced else {
                return RequestDecision(.refused, "it is \(phase.rawValue), held by node pool \(holder): --force drains its node first")
            }
            var status = old
            status.phase = .draining
            status.claim?.released = true
            status.claim?.releasedFor = .askedFor
            return RequestDecision(
                .succeeded, "its node is drained, and the machine cleaned then; node pool \(holder) takes another", status)
        case .draining, .cleaning:
            return RequestDecision(.succeeded, "it is \(phase.rawValue) already")
        case .reimaging:
            return RequestDecision(
                .refused, "it was cleaned, and waits to be installed anew: nestbox machine reimaged \(machine.name)")
        }
    }

    private static func release(_ old: MachineStatus, _ phase: MachinePhase, _ machine: Machine) -> RequestDecision {
        guard phase == .quarantined else {
            return RequestDecision(.refused, "it is \(phase.rawValue), and not Quarantined: there is nothing to release it from")
        }
        return RequestDecision(
            .succeeded, "what is left of a node is cleaned away, and it is Available once a check found nothing",
            cleaning(old, machine, reason: MachineCleaning.released))
    }

    /// From the beginning, with all the patience that there is at one.
    private static func cleaning(_ old: MachineStatus, _ machine: Machine, reason: String) -> MachineStatus {
        var status = old
        status.phase = .cleaning
        status.claim?.released = true
        status.plan = nil
        status.message = nil
        status.quarantineReason = nil
        var conditions = ConditionSet(
            old.conditions?.filter { !["Clean", "Reachable", "Draining"].contains($0.type) }, generation: machine.metadata.generation)
        conditions.set("Clean", false, reason: reason, message: "")
        status.conditions = conditions.list
        return status
    }
}

/// Why a Machine is being cleaned, as its condition `Clean` says.
enum MachineCleaning {
    /// A person asked for it.
    static let requested = "Requested"
    /// A person looked at it and let it go.
    static let released = "Released"
}

extension Machine {
    /// Whose traces are cleaned away; of one that nobody holds, the last holder's.
    var cleaningClaim: MachineClaim {
        status?.claim
            ?? MachineClaim(
                namespace: status?.lastTenant ?? "", nodePool: "", nodePoolUID: "", hostedCluster: "", hostedClusterUID: "",
                epoch: status?.lastEpoch ?? 0)
    }

    /// Whether it is cleaned also where nothing says that a node of ours ever was on it: because a person says so.
    var isToBeCleanedWhole: Bool { status?.conditions?.named("Clean")?.reason == MachineCleaning.requested }

    /// The request that was not answered yet; nil also for an annotation that is none.
    var pendingRequest: MachineRequest? {
        guard let text = metadata.annotations?[MachineRequest.annotation], text.utf8.count <= 8192,
            let request = MachineRequest(annotation: text), request.id != status?.answer?.id
        else { return nil }
        return request
    }
}
