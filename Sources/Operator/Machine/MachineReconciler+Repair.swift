import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import NestboxAPI
import NodeJoin
import SSHClient

extension MachineReconciler {
    /// Looks at the machine of an unwell node, when the other operator asks for that, and mends what a restart mends. Whether it
    /// helped the Node tells, which only that operator sees.
    func repair(_ machine: Machine) async throws -> ReconcileResult {
        guard let repair = machine.status?.repair, !machine.metadata.isBeingDeleted else { return .done }
        let isReachable = machine.status?.conditions?.named("Reachable")?.status != "False"
        switch MendingDecision(repair, isReachable: isReachable, now: Date()) {
        case .nothing: return .done
        case .wait(let until): return .requeue(after: .left(until: until))
        case .look(let restartsAll): return try await look(at: machine, restartsAll: restartsAll)
        case .giveUp:
            try await giveUp(machine)
            return .requeue(after: .seconds(MendingDecision.pauseWhenGivenUp))
        }
    }

    private func look(at machine: Machine, restartsAll: Bool) async throws -> ReconcileResult {
        guard let claim = machine.status?.claim else { return .done }
        let progress = PlanProgressWriter(client: client, machine: machine.name, epoch: claim.epoch, phases: [.ready])
        let ticket = try await client.joinTicket(of: machine, in: operatorNamespace).flatMap { $0.epoch == claim.epoch ? $0 : nil }
        let plan = Plan.repair(
            RepairParameters(
                owner: MachineOwner(machine, claim: claim), nodeLocalAPIAddress: claim.nodeLocalAPIAddress ?? "172.20.0.1",
                bootstrapKubeconfig: ticket?.bootstrapKubeconfig, restartsAll: restartsAll,
                nodeIsGone: machine.status?.conditions?.named("NodeReady")?.reason == "NodeGone"))
        let runner = PlanRunner(connect: { SSHMachineShell(try await self.connect(to: machine)) }, logger: logger) { report in
            try await progress.write(report.status)
        }
        do {
            let outcome = try await runner.run(plan)
            // What it writes brings the Machine back, and the next look is decided then.
            try await note(outcome, of: machine)
        } catch is PlanProgressWriter.Superseded {}
        return .done
    }

    /// Records one attempt. Its Node may have become Ready before the last look was over: what mended it is told then, too.
    private func note(_ outcome: PlanOutcome, of machine: Machine) async throws {
        let findings = RepairFindings(outputs: outcome.outputs)
        var failure: (words: String, kind: StepFailure.Kind)?
        if case .failed(let step, let why) = outcome.result {
            // That it is out of reach has nothing to do with the step that found it so.
            failure = (why.kind == .unreachable ? why.message : "\(step): \(why.message)", why.kind)
        }
        let parts = [findings.words, failure?.words ?? ""].filter { !$0.isEmpty }
        let words = parts.isEmpty ? "nothing is found wrong on the machine" : parts.joined(separator: "; ")
        try await change(machine, orFrom: .mended, event: "Repairing") { repair, conditions in
            let attempt = (repair.attempts ?? 0) + 1
            repair.attempts = attempt
            repair.lastAttempt = Timestamp.format(Date())
            repair.message = words
            repair.needsTicket = findings.needsTicket ? true : nil
            switch failure?.kind {
            case .unreachable: conditions.set("Reachable", false, reason: "SSHFailed", message: failure?.words ?? "")
            // By the machine's SSH or by the claim on it: which of them is in the words.
            case .refused: break
            case .failed, nil: conditions.set("Reachable", true, reason: "Connected", message: "")
            }
            let told = "attempt \(attempt) of \(MendingDecision.attempts): \(words)"
            switch repair.state {
            case .mending: conditions.set("Repairing", true, reason: "Attempted", message: told)
            case .notMended: conditions.set("Repairing", false, reason: "NotMended", message: words)
            case .mended: conditions.set("Repairing", false, reason: "Mended", message: RepairStatus.mendedWords(words))
            }
            return told
        }
    }

    func giveUp(_ machine: Machine) async throws {
        try await change(machine, event: "NotMended") { repair, conditions in
            repair.state = .notMended
            repair.since = Timestamp.format(Date())
            repair.needsTicket = nil
            let told =
                "not mended in \(repair.attempts ?? 0) attempts, and to be replaced within the pool's limits; the last one: "
                + (repair.message ?? "it was not looked at")
            conditions.set("Repairing", false, reason: "NotMended", message: told)
            return told
        }
    }

    /// Writes to a repair that still is where it was seen, or is there; what `body` returns is an event, and the Machine's message
    /// while it is unwell.
    private func change(
        _ machine: Machine, orFrom other: RepairState? = nil, event reason: String,
        _ body: (inout RepairStatus, inout ConditionSet) -> String
    ) async throws {
        let seen = machine.status?.repair?.state
        let epoch = machine.status?.claim?.epoch
        var told = ""
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .ready, now.status?.claim?.epoch == epoch, var repair = now.status?.repair,
                repair.state == seen || repair.state == other
            else { return false }
            var conditions = ConditionSet(now.status?.conditions, generation: now.metadata.generation)
            told = body(&repair, &conditions)
            now.status?.repair = repair
            now.status?.conditions = conditions.list
            now.status?.message = repair.state == .mended ? nil : told
            return true
        }
        if changed { await events.record(.warning, reason: reason, message: told, on: machine) }
    }
}

extension MachineOwner {
    init(_ machine: Machine, claim: MachineClaim) {
        self.init(uid: machine.metadata.uid ?? "", epoch: claim.epoch, holder: "\(claim.namespace)/\(claim.nodePool)")
    }
}
