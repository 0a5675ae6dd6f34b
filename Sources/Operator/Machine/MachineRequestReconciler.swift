import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import Logging
import NestboxAPI
import NodeJoin
import SSHClient

/// Answers what people ask of single machines (`nestbox machine ...`), beside whatever plan is under way there: it looks, or changes
/// the Machine's phase, and leaves doing to plans.
struct MachineRequestReconciler: Reconciler {
    let machines: MachineReconciler

    private var client: KubernetesClient { machines.client }

    func reconcile(_ key: ObjectKey) async throws -> ReconcileResult {
        guard let machine = try await client.find(Machine.self, key), let request = machine.pendingRequest else { return .done }
        if RequestDecision(request, on: machine) != nil {
            try await decide(request, machine)
        } else {
            try await look(request, machine)
        }
        return .done
    }

    /// The decision is made of the Machine as it is when it is written: what another has done meanwhile counts.
    private func decide(_ request: MachineRequest, _ machine: Machine) async throws {
        var made: RequestDecision?
        try await client.updateMachineStatus(machine.name) { now in
            made = nil
            guard now.pendingRequest?.id == request.id, let decision = RequestDecision(request, on: now) else { return false }
            if let status = decision.status { now.status = status }
            now.status?.answer = Self.answer(request, decision.result, decision.message)
            made = decision
            return true
        }
        guard let made else { return }
        let words = "\(request.verb.rawValue) was asked for: \(made.message)" + (request.reason.map { " (\($0))" } ?? "")
        await machines.events.record(made.result == .succeeded ? .normal : .warning, reason: "Asked", message: words, on: machine)
    }

    /// What has to be seen first.
    private func look(_ request: MachineRequest, _ machine: Machine) async throws {
        do {
            switch request.verb {
            case .check: try await check(request, machine)
            case .logs: try await logs(request, machine)
            case .acceptHostKey: try await acceptHostKey(request, machine)
            case .tryKey: try await tryKey(request, machine)
            case .clean, .quarantine, .release: return
            }
        } catch let error as SSHError {
            try await answer(request, machine, .failed, error.words(for: machine))
        } catch let failure as StepFailure {
            try await answer(request, machine, .failed, failure.message)
        }
    }

    // MARK: The verbs

    private func check(_ request: MachineRequest, _ machine: Machine) async throws {
        var verdict = MachineVerdict()
        var reachability = (isTrue: true, reason: "Connected", message: "")
        var facts: MachineFacts?
        // What is found on a machine that is not bare is not its own.
        var isBare = false
        do {
            let seen = try await machines.connected(to: machine) { connection in
                let shell = SSHMachineShell(connection)
                verdict.add("Reachable", true, "by SSH as \(connection.target), host key \(try await connection.hostKey.fingerprint)")
                let facts = try await MachineFacts.gather(on: shell)
                verdict.judge(facts, asKnown: machine.status?.facts)
                verdict.judge(try await MachineLook.gather(on: shell), of: machine, now: Date())
                if [.available, .quarantined].contains(machine.status?.phase) {
                    let leftovers = try await machines.leftovers(on: shell, of: machine)
                    isBare = leftovers.isEmpty
                    verdict.judge(leftovers: leftovers)
                }
                return facts
            }
            facts = machine.status?.facts?.refreshed(by: seen, isBare: isBare) ?? seen
        } catch let error as SSHError {
            verdict.add("Reachable", false, error.words(for: machine))
            reachability = (false, error.conditionReason, error.words(for: machine))
        } catch let failure as StepFailure {
            verdict.add("Looked at", false, failure.message)
        }
        if let facts { try await machines.label(machine, by: facts) }
        let (result, message, findings) = (verdict.isSound ? MachineResult.succeeded : .failed, verdict.message, verdict.findings)
        try await answer(request, machine, result, message) { now in
            now.status?.answer?.findings = findings
            // Registration writes its own, and a plan keeps to what it has begun with.
            guard now.status?.phase != nil else { return }
            if let facts, now.status?.phase == machine.status?.phase, now.status?.claim == machine.status?.claim {
                now.status?.facts = facts
            }
            guard now.status?.conditions?.named("Reachable")?.status != (reachability.isTrue ? "True" : "False") else { return }
            now.setCondition("Reachable", reachability.isTrue, reason: reachability.reason, message: reachability.message)
        }
    }

    private func logs(_ request: MachineRequest, _ machine: Machine) async throws {
        let journal = try await machines.connected(to: machine) {
            try await MachineJournal.read(
                units: request.units ?? [], tail: request.tail ?? 200, after: request.after, bytes: MachineAnswerBox.largestAnswer,
                on: SSHMachineShell($0))
        }
        if !journal.lines.isEmpty {
            do {
                try await leave(journal.lines.joined(separator: "\n"), for: request, machine)
            } catch let error as KubernetesError where error.isNotFound || error.isForbidden {
                return try await answer(
                    request, machine, .failed,
                    "the log cannot be handed over: \(error); are the manifests of this release applied (kubectl apply -k manifests/operator)?"
                )
            }
        }
        let cut = journal.isCut ? "; there was more before them" : ""
        try await answer(request, machine, .succeeded, "\(journal.lines.count) lines\(cut)") { $0.status?.answer?.cursor = journal.cursor }
    }

    private func acceptHostKey(_ request: MachineRequest, _ machine: Machine) async throws {
        do {
            try await machines.connected(to: machine) { _ in }
            return try await answer(request, machine, .succeeded, "the pinned key is the one that it presents: there is nothing to accept")
        } catch SSHError.hostKeyChanged(let target, _, let presented) {
            guard presented.fingerprint == request.fingerprint else {
                return try await answer(
                    request, machine, .refused,
                    "\(target) presents \(presented.fingerprint) (\(presented.type)), and not \(request.fingerprint ?? "any that was named")"
                )
            }
            if target.isJumpHost, machine.spec?.jumpHost?.hostKey != nil {
                return try await answer(
                    request, machine, .refused, "the jump host's key is given in spec.jumpHost.hostKey: change it there, or take it out")
            }
            try await answer(request, machine, .succeeded, "\(presented.fingerprint) (\(presented.type)) is pinned for \(target)") { now in
                if target.isJumpHost {
                    now.status?.jumpHostKey = presented.description
                } else {
                    now.status?.hostKey = presented.description
                    now.status?.nextHostKey = nil
                }
            }
            await machines.events.record(
                .normal, reason: "HostKeyAccepted", message: "\(presented.fingerprint) is pinned for \(target), as a person asked",
                on: machine)
        }
    }

    private func tryKey(_ request: MachineRequest, _ machine: Machine) async throws {
        try await machines.connected(to: machine, with: .next) { connection in
            // As root, or with sudo: a key that may not do that is of no use.
            _ = try await MachineLook.gather(on: SSHMachineShell(connection))
        }
        try await answer(request, machine, .succeeded, "it takes the next key")
    }

    // MARK: Answers

    private static func answer(_ request: MachineRequest, _ result: MachineResult, _ message: String) -> MachineAnswer {
        MachineAnswer(
            id: request.id, verb: request.verb, result: result, message: String(message.prefix(4096)),
            answeredAt: Timestamp.format(Date()))
    }

    /// Of two requests the newer counts: the older one's answer is not wanted any more.
    private func answer(
        _ request: MachineRequest, _ machine: Machine, _ result: MachineResult, _ message: String,
        _ change: (inout Machine) -> Void = { _ in }
    ) async throws {
        try await client.updateMachineStatus(machine.name) { now in
            guard now.pendingRequest?.id == request.id else { return false }
            now.status?.answer = Self.answer(request, result, message)
            change(&now)
            return true
        }
    }

    /// Puts a long answer where the asker finds it, and takes the oldest ones out.
    private func leave(_ text: String, for request: MachineRequest, _ machine: Machine) async throws {
        let time = String(format: "%015d", Int(Date().timeIntervalSince1970 * 1000))
        try await retryOnConflict {
            var box = try await client.get(Secret.self, MachineAnswerBox.secretName, namespace: machines.operatorNamespace)
            var answers = box.data ?? [:]
            let kept = answers.keys.sorted().suffix(MachineAnswerBox.mostAnswers - 1)
            answers = answers.filter { kept.contains($0.key) }
            answers[time + MachineAnswerBox.suffix(machine: machine.name, request: request.id)] = Base64(text: text)
            box.data = answers
            _ = try await client.update(box)
        }
    }
}
