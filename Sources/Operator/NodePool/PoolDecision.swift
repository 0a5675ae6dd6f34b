import Foundation
import KubernetesAPI
import NestboxAPI

/// What to do next for one NodePool: which Machines to claim and which to give back. Pure; the reconciler carries it out.
struct PoolDecision: Equatable {
    struct Claim: Equatable {
        var machine: String
        var podCIDR: String
    }

    var claims: [Claim] = []
    var releases: [String] = []
    /// Replicas asked for that no Machine is there for.
    var missing = 0
    /// What is wrong with the pool's own spec; nothing is claimed then, and only what leaves anyway is given back.
    var problem: String?
    /// Why nothing may be claimed, in a sentence; nil when claiming is allowed.
    var blocked: String?
    /// Why Machines that the pool would claim cannot be this cluster's nodes, in a sentence each, by their names.
    var refusals: [String: String] = [:]
    var rollout = RolloutDecision()
}

extension PoolDecision {
    /// Decides from the pool, its cluster (nil when it is not there) and every Machine.
    init(pool: NodePool, cluster: HostedCluster?, machines: [Machine], now: Date = Date()) {
        let held = machines.filter { $0.isHeld(by: pool) }
        if pool.metadata.isBeingDeleted {
            releases = held.map(\.name).sorted()
            return
        }
        let leaving = held.filter { $0.metadata.isBeingDeleted }
        releases = leaving.map(\.name).sorted()
        // Under another cluster's name nothing of it is to be understood: neither its number nor its version.
        if let change = pool.clusterChange(machines) {
            problem = change.description
            return
        }
        let problems = pool.withDefaults().validate() + (cluster.map { pool.validate(in: $0) } ?? [])
        problem = problems.isEmpty ? nil : problems.map(\.description).joined(separator: "; ")
        if cluster == nil || cluster?.metadata.isBeingDeleted == true {
            releases = held.map(\.name).sorted()
            return
        }
        let replicas = pool.spec?.replicas ?? 0
        let staying = held.filter { !$0.metadata.isBeingDeleted }
        // A spec that is not understood rolls out nothing, and neither does a cluster that is paused.
        if problem == nil, cluster?.specTrouble == nil, let template = NodeTemplate(pool, in: cluster) {
            rollout = RolloutDecision(
                pool: pool, template: template, machines: machines, staying: staying, now: now, order: Self.leavesBefore)
        } else {
            rollout.most = max(replicas, 0)
            rollout.wanted = max(0, replicas - staying.count)
        }
        if staying.count > rollout.most, replicas >= 0 {
            releases += staying.sorted(by: Self.leavesBefore).prefix(staying.count - rollout.most).map(\.name)
        } else {
            releases += rollout.releases
        }
        guard rollout.wanted > 0 || staying.count < replicas, let cluster, problem == nil else { return }
        let wanted = rollout.wanted
        missing = max(0, replicas - staying.count)
        if let trouble = cluster.specTrouble ?? rollout.hold {
            blocked = trouble
            return
        }
        var candidates: [Machine] = []
        for machine in machines.sorted(by: { $0.name < $1.name }) where machine.mayBeClaimed(by: pool) {
            let problem =
                machine.clash(with: machines) ?? machine.validate(in: cluster).first?.description
                ?? cluster.metadata.uid.flatMap { machine.unfitness(for: $0) }
            if let problem { refusals[machine.name] = problem } else { candidates.append(machine) }
        }
        let taken = machines.compactMap { $0.status?.claim }
            .filter { $0.hostedClusterUID == cluster.metadata.uid }.compactMap(\.podCIDR)
        var networks = PodNetworks(clusterCIDR: cluster.spec?.network?.pods ?? "", taken: taken)
        for machine in candidates.prefix(wanted) {
            guard let podCIDR = networks.next() else {
                blocked = "the pod network \(cluster.spec?.network?.pods ?? "") has no room for another node"
                break
            }
            claims.append(Claim(machine: machine.name, podCIDR: podCIDR))
        }
        missing = max(0, missing - claims.count)
        rollout.lacksSurge = claims.isEmpty && wanted > 0 && missing == 0
    }

    /// Unhealthy Machines leave first, then the youngest names: the order is stable, so that two passes agree.
    private static func leavesBefore(_ left: Machine, _ right: Machine) -> Bool {
        left.isReadyNode == right.isReadyNode ? left.name > right.name : !left.isReadyNode
    }
}

extension NodePool {
    /// That it was given another cluster's name since nodes were made for it, or since it was that cluster's.
    func clusterChange(_ machines: [Machine]) -> FieldError? {
        let owners = (metadata.ownerReferences ?? []).filter { $0.kind == HostedCluster.resourceType.kind }.map(\.name)
        let holders = machines.compactMap { $0.status?.claim }.filter { $0.nodePoolUID == metadata.uid }.map(\.hostedCluster)
        guard let other = (owners + holders).first(where: { $0 != spec?.clusterName }) else { return nil }
        var old = self
        old.spec?.clusterName = other
        return validateUpdate(from: old).first
    }
}

extension HostedCluster {
    /// Why no new node may be made by its spec as it stands, in a sentence; nil when one may.
    var specTrouble: String? {
        guard let verdict = status?.conditions?.named("ValidConfiguration"), verdict.observedGeneration == metadata.generation else {
            return "the spec of HostedCluster \(key) was not looked at yet"
        }
        guard verdict.status == "True" else { return "the spec of HostedCluster \(key) is refused: \(verdict.message)" }
        guard let active = status?.conditions?.named("ReconciliationActive"), active.status == "False" else { return nil }
        return "HostedCluster \(key) is \(active.message)"
    }
}

extension Machine {
    /// Whether it is a node whose Node is Ready now.
    var isReadyNode: Bool { status?.phase == .ready && status?.conditions?.named("NodeReady")?.status == "True" }

    /// Why it cannot be that cluster's node, as was found when it was looked at before joining.
    func unfitness(for clusterUID: String) -> String? { status?.unfitFor?.last { $0.hostedClusterUID == clusterUID }?.message }

    /// Whether this pool holds it and has not begun to give it back. A Quarantined Machine is nobody's node.
    func isHeld(by pool: NodePool) -> Bool {
        guard let claim = status?.claim, claim.nodePoolUID == pool.metadata.uid else { return false }
        return claim.released != true && status?.phase != .quarantined
    }

    /// Whether this pool may claim it: free, allowed for the namespace, matched by the selector, and clean of other tenants.
    func mayBeClaimed(by pool: NodePool) -> Bool {
        guard !metadata.isBeingDeleted, status?.phase == .available, status?.claim == nil, let namespace = pool.namespace else {
            return false
        }
        if let allowed = spec?.allowedNamespaces, !allowed.contains(namespace) { return false }
        if let last = status?.lastTenant, last != namespace, spec?.reuse != .anyTenant { return false }
        return pool.spec?.machineSelector?.matches(metadata.labels ?? [:]) ?? true
    }
}
