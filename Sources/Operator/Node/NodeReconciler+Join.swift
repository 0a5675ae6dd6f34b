import ControlPlane
import ControllerRuntime
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI

extension NodeReconciler {
    /// Gives the machines operator what it needs to join the machine, and waits for the Node to be Ready:
    /// only that counts as joined.
    func join(
        _ machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws -> ReconcileResult {
        let record = try await ensureRecord(of: machine, claim: claim, session: session)
        let node = session.nodes.get(ObjectKey(name: machine.name)).flatMap { node -> Node? in
            let created = node.metadata.creationTimestamp.flatMap(Timestamp.parse)
            guard let created, let since = record?.since, created >= since else { return nil }
            return node
        }
        try await ensureTicket(for: machine, hasNode: node != nil, claim: claim, pool: pool, cluster: cluster, session: session)
        guard let node else { return .requeue(after: machine.joinsByCommand ? .seconds(60) : .seconds(300)) }
        try await settle(node, claim: claim, session: session)
        guard node.isReady else { return .requeue(after: .seconds(300)) }

        let version = node.status?.nodeInfo?.kubeletVersion
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == claim.epoch, [.claimed, .joining].contains(now.status?.phase) else { return false }
            now.status?.phase = .ready
            now.status?.message = nil
            var facts = now.status?.facts ?? MachineFacts()
            facts.kubeletVersion = version
            now.status?.facts = facts
            now.setCondition("NodeReady", true, reason: "NodeReady", message: "")
            return true
        }
        if changed {
            await events.record(.normal, reason: "NodeReady", message: "joined \(claim.namespace)/\(claim.hostedCluster)", on: machine)
        }
        try await deleteTicket(of: machine)
        return .done
    }

    /// The record of this claim: an earlier life's is replaced, and with it every certificate of that life refused.
    private func ensureRecord(of machine: Machine, claim: MachineClaim, session: TenantSession) async throws -> NodeRecord? {
        let address = machine.spec?.address ?? ""
        if let present = try await session.client.nodeRecord(machine.name), present.podCIDR == claim.podCIDR, present.epoch == claim.epoch,
            present.addresses == [address]
        {
            return present
        }
        let record = NodeRecord(
            node: machine.name, addresses: [address], podCIDR: claim.podCIDR ?? "", notBefore: NodeRecord.pending,
            // Whole seconds, as the API server's own timestamps are.
            since: Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down)), epoch: claim.epoch)
        try await session.client.deleteIfPresent(Node.self, machine.name)
        try await session.client.applyNodeRecord(record)
        return record
    }

    /// Makes a ticket where there is none, and a new one when its token ends before a Node came of it.
    func ensureTicket(
        for machine: Machine, hasNode: Bool, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws {
        if let present = try await client.joinTicket(of: machine, in: operatorNamespace), present.epoch == claim.epoch,
            present.purpose == .join, let expires = Timestamp.parse(present.expires)
        {
            // A command that was printed is good until its token ends, and no token takes that one's place.
            let reserve = machine.joinsByCommand ? 0 : BootstrapToken.longestLifetime / 3
            if hasNode || expires.timeIntervalSinceNow > reserve { return }
            if machine.joinsByCommand { return try await giveUpCommand(machine, claim: claim) }
        }
        // A refused spec makes no nodes; the cluster's next status brings the Machine back.
        guard cluster.specTrouble == nil, (pool.validate() + pool.validate(in: cluster)).isEmpty else { return }
        let token = BootstrapToken()
        guard let ticket = try ticket(for: machine, claim: claim, pool: pool, cluster: cluster, session: session, token: token) else {
            return
        }
        // Written down first: no node is made from a template that nobody knows it was made from.
        let revision = ticket.revision
        // A node that lost its certificate stays of the template that it is of.
        if claim.revision != revision, machine.status?.phase != .ready {
            // What was begun from one template is not finished from another: the pool takes it back.
            guard claim.revision == nil || machine.status?.phase == .claimed else { return }
            var isOurs = false
            try await client.updateMachineStatus(machine.name) { now in
                isOurs = now.status?.claim?.epoch == claim.epoch && [.claimed, .joining].contains(now.status?.phase)
                guard isOurs else { return false }
                now.status?.claim?.revision = revision
                return true
            }
            guard isOurs else { return }
        }
        _ = try await session.client.create(token.object(forMachine: machine.name, now: Date()))
        _ = try await client.apply(ticket.secret(namespace: operatorNamespace), fieldManager: fieldManager)
    }

    /// Nobody ran the command in time, or it failed: the pool takes another, and the machine is its owner's.
    private func giveUpCommand(_ machine: Machine, claim: MachineClaim) async throws {
        let words =
            "nobody made it a node before its token ended; if the command was never run there: nestbox machine reimaged \(machine.name), "
            + "and nestbox token command \(machine.name) prints another; if it was, the same prints what cleans the machine first"
        let changed = try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.claim?.epoch == claim.epoch, [.claimed, .joining].contains(now.status?.phase) else { return false }
            now.status?.phase = .quarantined
            now.status?.message = words
            return true
        }
        if changed { await events.record(.warning, reason: "TokenExpired", message: words, on: machine) }
    }

    /// For a join with this token, or for an upgrade of what is a node already; nil while the version is not known.
    func ticket(
        for machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession, token: BootstrapToken?
    ) throws -> JoinTicket? {
        guard let template = NodeTemplate(pool, in: cluster) else { return nil }
        let settings = try ClusterSettings(cluster)
        // Nobody knows which cgroups a machine has that was never looked at; what lets the older ones be does no harm on the newer.
        let environment =
            machine.joinsByCommand
            ? NodeEnvironment(cgroupDriver: nil, cgroupVersion: 1) : machine.status?.facts?.environment ?? NodeEnvironment()
        let labels = (pool.spec?.labels ?? [:]).merging([NestboxLabel.nodePool: claim.nodePool]) { _, ours in ours }
        let taints = pool.spec?.taints ?? []
        let authority = session.certificateAuthority
        return JoinTicket(
            machine: machine.name, epoch: claim.epoch,
            expires: Timestamp.format(Date().addingTimeInterval(BootstrapToken.longestLifetime)), certificateAuthority: authority,
            bootstrapKubeconfig: token.map { Kubeconfig.bootstrap(settings, certificateAuthority: authority, token: $0) } ?? "",
            kubeletConfiguration: KubeletConfiguration.render(
                for: settings, version: template.version, environment: environment, taints: taints,
                further: template.configuration?.kubelet ?? [:]),
            kubernetesVersion: template.version.description, nodeLocalAPIAddress: "\(settings.nodeLocalAPIAddress)",
            apiEndpoints: cluster.status?.apiEndpoints ?? [], tunnelEndpoints: cluster.status?.tunnelEndpoints ?? [],
            podCIDR: claim.podCIDR ?? "", clusterPodCIDR: "\(settings.podNetwork)", networkPlugin: settings.spec.network?.cni ?? "bridge",
            serviceCIDR: "\(settings.serviceNetwork)", imageRegistry: settings.imageRegistry, labels: labels, taints: taints,
            holder: "\(claim.namespace)/\(claim.nodePool)", purpose: token == nil ? .upgrade : .join, revision: template.revision,
            clusterVersion: "\(settings.version)", nodeConfiguration: template.configuration,
            token: machine.joinsByCommand ? token?.value : nil)
    }

    /// What the node may not say of itself: its pod network.
    func settle(_ node: Node, claim: MachineClaim, session: TenantSession) async throws {
        guard node.spec?.podCIDR == nil, let podCIDR = claim.podCIDR else { return }
        _ = try await session.client.patch(
            Node.self, node.name, merge: ["spec": ["podCIDR": .string(podCIDR), "podCIDRs": [.string(podCIDR)]]])
    }

    /// The pool's labels and taints stay on the node, a change of them rolls nothing; and the Machine says how its Node is.
    func keep(
        _ machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws -> ReconcileResult {
        var known = session.nodes.get(ObjectKey(name: machine.name))
        // The informer may not have listed yet: that a Node is gone is for the API to say.
        if known == nil { known = try await session.client.find(Node.self, ObjectKey(name: machine.name)) }
        let result = try await watch(over: known, of: machine, claim: claim, pool: pool, cluster: cluster, session: session)
        try await noteRevision(of: machine, claim: claim, pool: pool, cluster: cluster)
        guard let node = known else { return result }
        // One that was deleted and registered itself anew lacks it.
        try await settle(node, claim: claim, session: session)
        // It was to leave, or to be upgraded, and stays.
        session.drains.end(machine.name)
        try await session.uncordon(node)
        let marks = NodeMarks(pool.spec, nodePool: claim.nodePool)
        guard marks.patch(for: node) != nil else { return result }
        try await retryOnConflict {
            guard let fresh = try await session.client.find(Node.self, ObjectKey(name: machine.name)), let patch = marks.patch(for: fresh)
            else { return }
            _ = try await session.client.patch(Node.self, fresh.name, merge: patch)
        }
        return result
    }

    /// Nodes from before templates had revisions get the one they are of, and what an upgrade failed at is forgotten with the template
    /// that failed.
    private func noteRevision(of machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster) async throws {
        // What is not valid may be anything.
        guard let template = NodeTemplate(pool, in: cluster), pool.validate().isEmpty else { return }
        let isStale = machine.status?.upgrade.map { $0.revision != template.revision } ?? false
        guard claim.revision == nil || isStale else { return }
        try await client.updateMachineStatus(machine.name) { now in
            guard now.status?.phase == .ready, now.status?.claim?.epoch == claim.epoch else { return false }
            let revision = now.nodeRevision(template)
            now.status?.claim?.revision = revision
            if let upgrade = now.status?.upgrade, upgrade.revision != template.revision {
                now.status?.upgrade = nil
                now.status?.message = nil
            }
            return true
        }
    }
}

extension MachineFacts {
    var environment: NodeEnvironment { NodeEnvironment(cgroupDriver: nil, cgroupVersion: cgroupVersion ?? 2) }
}
