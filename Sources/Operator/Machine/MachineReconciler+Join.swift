import ArtifactStore
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import Logging
import NestboxAPI
import NodeJoin

extension MachineReconciler {
    /// Carries out the join with the ticket that the control-planes operator left. The machine counts as joined when its Node
    /// is Ready, which that operator sees.
    func join(_ machine: Machine) async throws -> ReconcileResult {
        guard let claim = machine.status?.claim else { return .done }
        let ticket = try await client.joinTicket(of: machine, in: operatorNamespace).flatMap {
            $0.epoch == claim.epoch && $0.purpose == .join ? $0 : nil
        }
        if let installed = machine.status?.conditions?.named("Installed"), installed.status == "True" {
            let installedAt = Timestamp.parse(installed.lastTransitionTime)
            guard let installedAt, let madeAt = ticket?.madeAt, madeAt > installedAt else {
                return try await diagnose(machine, installedAt: installedAt)
            }
            try await say(
                machine, "Installed", false, "NewTicket",
                "the token that it was to join with ended before its Node came: it is given a new one")
        }
        guard let ticket, let version = KubernetesVersion(ticket.kubernetesVersion) else { return .done }

        guard let facts = try await factsBeforeJoining(machine) else { return .done }
        let progress = PlanProgressWriter(client: client, machine: machine.name, epoch: claim.epoch, phases: [.claimed, .joining, .ready])
        guard let parameters = try await parameters(ticket, version: version, machine: machine, facts: facts) else {
            return .requeue(after: .seconds(60))
        }
        let runner = PlanRunner(connect: { SSHMachineShell(try await self.connect(to: machine)) }, logger: logger) { report in
            // Its Node may be Ready before the plan's last look at it.
            try await progress.write(report.status) { status in
                if status.phase == .claimed { status.phase = .joining }
                report.record(in: &status)
            }
        }
        do {
            let outcome = try await runner.run(.join(parameters))
            return try await finish(join: machine, outcome.result, parameters)
        } catch is PlanProgressWriter.Superseded {
            return .done
        }
    }

    /// All that the plan of this ticket depends on; nil, and said, when the store lacks something.
    func parameters(
        _ ticket: JoinTicket, version: KubernetesVersion, machine: Machine, facts: MachineFacts
    ) async throws -> JoinParameters? {
        do {
            // Each node runs the kube-proxy of the control plane's version, whatever its kubelet's is.
            let proxyVersion = KubernetesVersion(ticket.clusterVersion) ?? version
            let (files, tools) = try await joinArtifacts(version, proxyVersion: proxyVersion, facts: facts)
            if machine.status?.conditions?.named("ArtifactsAvailable")?.status == "False" {
                try await say(machine, "ArtifactsAvailable", true, "Available", "")
            }
            return JoinParameters(ticket, machine: machine, version: version, artifacts: files, tools: tools)
        } catch let error as ArtifactError {
            try await say(machine, "ArtifactsAvailable", false, "ArtifactsMissing", "\(error)")
            return nil
        }
    }

    private func finish(join machine: Machine, _ result: PlanResult, _ parameters: JoinParameters) async throws -> ReconcileResult {
        if result != .succeeded {
            // A Ready Node is proof enough, and a machine that was released meanwhile is not this plan's any more.
            let phase = try await client.find(Machine.self, ObjectKey(name: machine.name))?.status?.phase
            guard [.claimed, .joining].contains(phase) else { return .done }
        }
        switch result {
        case .succeeded:
            let epoch = machine.status?.claim?.epoch
            try await client.updateMachineStatus(machine.name) { now in
                guard now.status?.claim?.epoch == epoch else { return false }
                now.setCondition("Installed", true, reason: "Installed", message: "")
                if now.status?.conditions?.named("Reachable")?.status != "True" {
                    now.setCondition("Reachable", true, reason: "Connected", message: "")
                }
                now.status?.message = nil
                return true
            }
            return .requeue(after: .seconds(Self.patienceWithNode))
        case .failed(let step, let failure) where failure.kind == .unreachable:
            try await say(machine, "Reachable", false, "SSHFailed", "\(step): \(failure.message)")
            return .requeue(after: .seconds(15))
        case .failed(_, let failure) where failure.isUnfitness:
            try await giveBack(machine, failure.message)
            return .done
        case .failed(let step, let failure) where parameters.mayBlameConfiguration(forFailureAt: step):
            // The machine may be as good as any: the pool is told, and takes it back when its configuration changes.
            let words = "the pool's nodeConfiguration may be wrong: the join failed at \(step): \(failure.message)"
            try await say(machine, "Installed", false, NodeConfigurationFailure.reason, words)
            return .requeue(after: .seconds(60))
        case .failed(let step, let failure):
            try await quarantine(
                machine, "the join failed at \(step): \(failure.message); mend it, then: nestbox machine clean \(machine.name)")
            return .done
        }
    }

    /// It is fit for use, but not by this cluster, as far as can be told: nothing on it was changed, and the other operator frees
    /// it when the tenant has forgotten it.
    private func giveBack(_ machine: Machine, _ why: String) async throws {
        let epoch = machine.status?.claim?.epoch
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard let claim = now.status?.claim, claim.epoch == epoch, [.claimed, .joining].contains(now.status?.phase) else {
                return false
            }
            now.status?.phase = .draining
            now.status?.claim?.released = true
            now.status?.claim?.releasedFor = .unfit
            now.status?.message = why
            let others = (now.status?.unfitFor ?? []).filter { $0.hostedClusterUID != claim.hostedClusterUID }
            // Bounded: clusters come and go, and nobody takes their names out.
            now.status?.unfitFor = others.suffix(31) + [Unfitness(hostedClusterUID: claim.hostedClusterUID, message: why)]
            return true
        }
        if changed { await events.record(.warning, reason: "Unfit", message: why, on: machine) }
    }

    /// What the machine is like before anything of ours is on it: looked at anew, for registration may be long ago, and kept,
    /// for cleaning is held to it. Nil when the claim is over.
    private func factsBeforeJoining(_ machine: Machine) async throws -> MachineFacts? {
        guard machine.status?.phase == .claimed else { return machine.status?.facts ?? MachineFacts() }
        let facts = try await connected(to: machine) { try await MachineFacts.gather(on: SSHMachineShell($0)) }
        var isClaimed = false
        try await client.updateMachineStatus(machine.name) { now in
            isClaimed = now.status?.phase == .claimed && now.status?.claim?.epoch == machine.status?.claim?.epoch
            guard isClaimed else { return false }
            now.status?.facts = facts
            return true
        }
        if isClaimed { try await label(machine, by: facts) }
        return isClaimed ? facts : nil
    }

    private func joinArtifacts(
        _ version: KubernetesVersion, proxyVersion: KubernetesVersion, facts: MachineFacts
    ) async throws -> (JoinArtifacts, ToolChoice) {
        let architecture = Architecture(fact: facts)
        let release = try await artifacts.kubernetes(version, architecture: architecture)
        let proxy = proxyVersion == version ? release : try await artifacts.kubernetes(proxyVersion, architecture: architecture)
        let tools = try await storedTools(architecture)
        let choice = ToolChoice(
            facts: facts, storedContainerd: tools.flatMap { ProgramVersion($0.packages["containerd"] ?? "") }, version: version)
        let pause = try await artifacts.pauseImage(architecture: architecture)
        let busybox = try await artifacts.busyboxImage(architecture: architecture)
        let files = JoinArtifacts(
            nodeTools: tools.map { LocalFile($0.tarball) }, kubelet: LocalFile(release.binary(.kubelet)), nestboxNode: nodeProgram,
            pauseImage: JoinImage(pause), images: [JoinImage(proxy.image(.kubeProxy)), JoinImage(busybox)])
        return (files, choice)
    }

    /// How long a node may take to become Ready before the machine is asked why.
    private static let patienceWithNode = 120

    /// Says what the machine's own services complain of while its Node is not Ready, which only the other operator can see.
    private func diagnose(_ machine: Machine, installedAt: Date?) async throws -> ReconcileResult {
        let waited = installedAt.map { Int(Date().timeIntervalSince($0)) } ?? 0
        guard waited >= Self.patienceWithNode else { return .requeue(after: .seconds(Self.patienceWithNode - waited)) }
        let words = try await connected(to: machine) { try await NodeDiagnosis.gather(on: SSHMachineShell($0)) }
        try await say(
            machine, "NodeReady", false, "NotReadyInTime",
            "everything is installed, but its Node is not Ready after \(waited / 60) minutes; "
                + (words.isEmpty
                    ? "its services run and do not complain: look at the Node in the tenant's cluster" : "its services say: \(words)"))
        return .requeue(after: .seconds(300))
    }

    /// Sets one condition, if the Machine is still in the claim that was seen.
    func say(_ machine: Machine, _ type: String, _ isTrue: Bool, _ reason: String, _ message: String) async throws {
        let epoch = machine.status?.claim?.epoch
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == epoch else { return false }
            now.setCondition(type, isTrue, reason: reason, message: message)
            now.status?.message = isTrue ? nil : message
            return true
        }
    }
}

extension JoinParameters {
    fileprivate init(_ ticket: JoinTicket, machine: Machine, version: KubernetesVersion, artifacts: JoinArtifacts, tools: ToolChoice) {
        self.init(
            owner: MachineOwner(uid: machine.metadata.uid ?? "", epoch: ticket.epoch, holder: ticket.holder), nodeName: machine.name,
            nodeAddress: machine.spec?.address ?? "", version: version,
            network: JoinNetwork(
                podCIDR: ticket.podCIDR, clusterPodCIDR: ticket.clusterPodCIDR, serviceCIDR: ticket.serviceCIDR,
                nodeLocalAPIAddress: ticket.nodeLocalAPIAddress, bridge: ticket.networkPlugin != "none"),
            endpoints: JoinEndpoints(api: ticket.apiEndpoints, tunnel: ticket.tunnelEndpoints),
            certificateAuthority: ticket.certificateAuthority, bootstrapKubeconfig: ticket.bootstrapKubeconfig,
            kubeletConfiguration: ticket.kubeletConfiguration, nodeLabels: ticket.labels, taints: ticket.taints, artifacts: artifacts,
            tools: tools,
            requirements: MachineRequirements(architecture: Architecture(fact: machine.status?.facts).rawValue),
            hasBaseline: machine.status?.claim?.baseline != nil, nodeConfiguration: ticket.nodeConfiguration ?? NodeConfiguration())
    }
}

extension PlanReport {
    /// What the cleaning has to know of a join, on our side: on the machine the tenant has root.
    fileprivate func record(in status: inout MachineStatus) {
        if self.status.isPastPreflight { status.claim?.changed = true }
        if let baseline = outputs[Baseline.digestKey] { status.claim?.baseline = baseline }
        if let trouble = outputs[Baseline.troubleKey] {
            var conditions = ConditionSet(status.conditions, generation: status.observedGeneration)
            conditions.set("Listed", false, reason: "NotListed", message: "after cleaning only what is Nestbox's is looked for: \(trouble)")
            status.conditions = conditions.list
        }
    }
}

extension Architecture {
    /// The machine's, as it says; this computer's where it was not asked.
    init(fact facts: MachineFacts?) { self = facts?.architecture.flatMap(Architecture.init(rawValue:)) ?? .current }
}

extension LocalFile {
    init(_ artifact: Artifact) { self.init(path: artifact.path, sha256: artifact.sha256) }
}

extension JoinImage {
    init(_ image: ImageArchive) {
        self.init(archive: LocalFile(path: image.path, sha256: image.sha256), reference: image.reference)
    }
}
