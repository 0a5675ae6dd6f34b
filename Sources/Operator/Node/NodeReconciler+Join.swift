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
        guard let node else { return .requeue(after: .seconds(300)) }
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
            var conditions = ConditionSet(now.status?.conditions, generation: now.metadata.generation)
            conditions.set("NodeReady", true, reason: "NodeReady", message: "")
            now.status?.conditions = conditions.list
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
        let key = ObjectKey(namespace: operatorNamespace, name: JoinTicket.secretName(machine: machine.name))
        if let present = try await client.find(Secret.self, key).flatMap(JoinTicket.init), present.epoch == claim.epoch,
            let expires = Timestamp.parse(present.expires),
            hasNode || expires.timeIntervalSinceNow > BootstrapToken.longestLifetime / 3
        {
            return
        }
        // A refused spec makes no nodes; the cluster's next status brings the Machine back.
        guard cluster.specTrouble == nil else { return }
        let settings = try ClusterSettings(cluster)
        let version = pool.spec?.version ?? settings.version
        let token = BootstrapToken()
        let now = Date()
        _ = try await session.client.create(token.object(forMachine: machine.name, now: now))
        let environment = machine.status?.facts?.environment ?? NodeEnvironment()
        let labels = (pool.spec?.labels ?? [:]).merging([NestboxLabel.nodePool: claim.nodePool]) { _, ours in ours }
        let taints = pool.spec?.taints ?? []
        let ticket = JoinTicket(
            machine: machine.name, epoch: claim.epoch,
            expires: Timestamp.format(now.addingTimeInterval(BootstrapToken.longestLifetime)),
            certificateAuthority: session.certificateAuthority,
            bootstrapKubeconfig: Kubeconfig.bootstrap(settings, certificateAuthority: session.certificateAuthority, token: token),
            kubeletConfiguration: KubeletConfiguration.render(
                for: settings, version: version, environment: environment, taints: taints),
            kubernetesVersion: version.description, nodeLocalAPIAddress: "\(settings.nodeLocalAPIAddress)",
            apiEndpoints: cluster.status?.apiEndpoints ?? [], tunnelEndpoints: cluster.status?.tunnelEndpoints ?? [],
            podCIDR: claim.podCIDR ?? "", clusterPodCIDR: "\(settings.podNetwork)", networkPlugin: settings.spec.network?.cni ?? "bridge",
            serviceCIDR: "\(settings.serviceNetwork)", imageRegistry: settings.imageRegistry, labels: labels, taints: taints,
            holder: "\(claim.namespace)/\(claim.nodePool)")
        _ = try await client.apply(ticket.secret(namespace: operatorNamespace), fieldManager: fieldManager)
    }

    /// What the node may not say of itself: its pod network.
    private func settle(_ node: Node, claim: MachineClaim, session: TenantSession) async throws {
        guard node.spec?.podCIDR == nil, let podCIDR = claim.podCIDR else { return }
        _ = try await session.client.patch(
            Node.self, node.name, merge: ["spec": ["podCIDR": .string(podCIDR), "podCIDRs": [.string(podCIDR)]]])
    }

    /// Labels of the pool stay on the node, a change of them rolls nothing; and the Machine says how its Node is.
    func keep(
        _ machine: Machine, claim: MachineClaim, pool: NodePool, cluster: HostedCluster, session: TenantSession
    ) async throws -> ReconcileResult {
        var known = session.nodes.get(ObjectKey(name: machine.name))
        // The informer may not have listed yet: that a Node is gone is for the API to say.
        if known == nil { known = try await session.client.find(Node.self, ObjectKey(name: machine.name)) }
        let result = try await watch(over: known, of: machine, claim: claim, pool: pool, cluster: cluster, session: session)
        guard let node = known else { return result }
        // One that was deleted and registered itself anew lacks it.
        try await settle(node, claim: claim, session: session)
        // It was to leave, and was taken back.
        session.drains.end(machine.name)
        try await session.uncordon(node)
        let wanted = (pool.spec?.labels ?? [:]).merging([NestboxLabel.nodePool: claim.nodePool]) { _, ours in ours }
        let lacking = wanted.filter { node.metadata.labels?[$0.key] != $0.value }
        if !lacking.isEmpty {
            _ = try await session.client.patch(
                Node.self, node.name, merge: ["metadata": ["labels": .object(lacking.mapValues(JSONValue.string))]])
        }
        return result
    }
}

extension Node {
    var isReady: Bool { status?.conditions?.contains { $0.type == "Ready" && $0.status == "True" } ?? false }
}

extension MachineFacts {
    var environment: NodeEnvironment { NodeEnvironment(cgroupDriver: nil, cgroupVersion: cgroupVersion ?? 2) }
}
