import ControllerRuntime
import Crypto
import Foundation
import HexDigest
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import NodeJoin

extension MachineReconciler {
    /// Of a machine that nobody reaches: the plans are the same, as scripts that its owner runs. Whether one was run the Node tells, which
    /// the other operator sees.
    func lookAfterByCommand(_ machine: Machine) async throws -> ReconcileResult {
        switch machine.status?.phase {
        case nil: return try await registerByCommand(machine)
        case .claimed, .joining: return try await publishJoin(machine)
        case .cleaning:
            try await publishClean(machine)
            try await quarantine(
                machine,
                "its node has left the cluster, and the machine is its owner's to clean: nestbox token command \(machine.name) prints how; "
                    + "or install it anew. To use it again: nestbox machine reimaged \(machine.name)")
        case .quarantined where machine.status?.claim != nil:
            try await publishClean(machine)
        case .ready:
            published.withdraw(machine.name)
            // There is nobody to look.
            if machine.status?.repair?.state == .mending { try await giveUp(machine) }
        case .available, .draining, .quarantined, .upgrading, .reimaging:
            published.withdraw(machine.name)
        }
        return .done
    }

    private func registerByCommand(_ machine: Machine) async throws -> ReconcileResult {
        if let refusal = try await refusal(of: machine) { return try await refuse(machine, refusal.reason, refusal.message) }
        let facts = MachineFacts(architecture: machine.withDefaults().spec?.architecture)
        let registered = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == nil else { return false }
            now.status?.phase = .available
            now.status?.facts = facts
            now.status?.message = nil
            now.status?.observedGeneration = now.metadata.generation
            now.setCondition("Registered", true, reason: "Registered", message: "it joins by a command that its owner runs")
            return true
        }
        if registered {
            await events.record(.normal, reason: "Registered", message: "it joins by a command that its owner runs", on: machine)
        }
        return .done
    }

    private func publishJoin(_ machine: Machine) async throws -> ReconcileResult {
        guard let claim = machine.status?.claim, var ticket = try await client.joinTicket(of: machine, in: operatorNamespace),
            ticket.epoch == claim.epoch, ticket.purpose == .join, let token = ticket.token,
            let version = KubernetesVersion(ticket.kubernetesVersion)
        else { return .done }
        ticket.bootstrapKubeconfig = ticket.bootstrapKubeconfig.replacingOccurrences(of: token, with: PlanScript.secretMark)
        guard
            let parameters = try await parameters(
                ticket, version: version, machine: machine, facts: machine.status?.facts ?? MachineFacts())
        else { return .requeue(after: .seconds(60)) }
        try await publish(.joinByCommand(parameters), of: machine, epoch: claim.epoch)
        return .done
    }

    private func publishClean(_ machine: Machine) async throws {
        let claim = machine.cleaningClaim
        let parameters = CleanParameters(
            owner: MachineOwner(machine, claim: claim), clusterPodCIDR: claim.clusterPodCIDR ?? "",
            nodeLocalAPIAddress: claim.nodeLocalAPIAddress ?? "172.20.0.1",
            // They are nothing to anybody here, and a change would only puzzle who knows the old ones.
            renewHostKeys: false)
        try await publish(.clean(parameters), of: machine, epoch: claim.epoch)
    }

    private func publish(_ plan: Plan, of machine: Machine, epoch: Int) async throws {
        var contents: [String: PublishedFiles.Content] = [:]
        var sizes: [String: Int] = [:]
        for file in plan.files {
            contents[file.sha256] = .file(file.path)
            sizes[file.sha256] = try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int
        }
        let text = PlanScript(plan, sizes: sizes).text
        let script = MachineScript(plan: plan.name, sha256: SHA256.hexDigest(of: text), epoch: epoch)
        contents[script.sha256] = .text(text)
        published.publish(contents, for: machine.name)
        guard machine.status?.script != script else { return }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == machine.status?.claim?.epoch, now.status?.phase == machine.status?.phase else { return false }
            now.status?.script = script
            return true
        }
    }
}
