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
    /// Why those of `releases` are given back.
    var reasons: [String: ReleaseReason] = [:]
    /// Machines on their way out, which are to stay after all: more replicas are asked for again.
    var takeBacks: [String] = []
    /// Whether it chose among nodes without knowing how many pods they have, so that it is worth asking.
    var wantsPodCounts = false
    /// Replicas asked for that no Machine is there for.
    var missing = 0
    /// What is wrong with the pool's own spec; nothing is claimed then, and only what leaves anyway is given back.
    var problem: String?
    /// Why nothing may be claimed, in a sentence; nil when claiming is allowed.
    var blocked: String?
    /// Why Machines that the pool would claim cannot be this cluster's nodes, in a sentence each, by their names.
    var refusals: [String: String] = [:]
    var rollout = RolloutDecision()
    /// Which Machines' places are given to others because their nodes were not mended.
    var replacements = Replacements()
}

extension PoolDecision {
    /// Decides from the pool, its cluster (nil when it is not there) and every Machine.
    /// - Parameters:
    ///   - pods: how many pods would have to move from each Machine; nil where nobody asked.
    ///   - further: parts of the cluster's pod network that nodes without a Machine carry.
    init(
        pool: NodePool, cluster: HostedCluster?, machines: [Machine], pods: [String: Int]? = nil, further: [String] = [], now: Date = Date()
    ) {
        let held = machines.filter { $0.isHeld(by: pool) }
        if pool.metadata.isBeingDeleted {
            // What was deleted with the cluster's namespace is held back with the cluster.
            if cluster?.isHeldBack != true { release(held, for: .poolDeleted) }
            return
        }
        release(held.filter { $0.metadata.isBeingDeleted }, for: .machineDeleted)
        // Under another cluster's name nothing of it is to be understood: neither its number nor its version.
        if let change = pool.clusterChange(machines) {
            problem = change.description
            return
        }
        let problems = pool.withDefaults().validate() + (cluster.map { pool.validate(in: $0) } ?? [])
        problem = problems.isEmpty ? nil : problems.map(\.description).joined(separator: "; ")
        if cluster?.isLeaving ?? true {
            releases = []
            release(held, for: .clusterDeleted)
            return
        }
        let replicas = pool.spec?.replicas ?? 0
        let staying = held.filter { !$0.metadata.isBeingDeleted }
        // A spec that is not understood rolls out nothing, and neither does a cluster that is paused.
        let template = problem == nil && cluster?.specTrouble == nil ? NodeTemplate(pool, in: cluster) : nil
        let isOutdated = { (machine: Machine) in template.map { machine.nodeRevision($0) != $0.revision } ?? false }
        let order = LeavingOrder(isOutdated: isOutdated, pods: pods ?? [:])
        if let template {
            rollout = RolloutDecision(
                pool: pool, template: template, machines: machines, staying: staying, now: now, order: { order($0, $1) })
        } else {
            rollout.most = max(replicas, 0)
            rollout.wanted = max(0, replicas - staying.count)
        }
        if staying.count > rollout.most, replicas >= 0 {
            let surplus = staying.sorted { order($0, $1) }.prefix(staying.count - rollout.most)
            for machine in surplus { release([machine], for: .scaledDown) }
            // Where all go there is nothing to choose, and Machines that are no nodes have no pods.
            wantsPodCounts = pods == nil && rollout.most > 0 && staying.filter { $0.status?.facts?.kubeletVersion != nil }.count > 1
        } else {
            for machine in staying where rollout.releases.contains(machine.name) { release([machine], for: .outdated) }
        }
        guard let cluster, problem == nil else { return }
        if rollout.hold == nil {
            let others = staying.filter { !releases.contains($0.name) && !rollout.upgrades.contains($0.name) }
            replacements = Replacements(pool: pool, cluster: cluster, held: others, machines: machines)
            release(others.filter { replacements.machines.contains($0.name) }, for: .notMended)
        }
        let lacking = rollout.wanted + replacements.machines.count
        let leaving = machines.filter { $0.mayBeTakenBack(by: pool) && !isOutdated($0) }
        let returning = LeavingOrder(isOutdated: isOutdated)
        takeBacks = leaving.sorted { returning($1, $0) }.prefix(lacking).map(\.name)
        let wanted = lacking - takeBacks.count
        missing = max(0, max(0, replicas - staying.count) + replacements.machines.count - takeBacks.count)
        guard wanted > 0 || missing > 0 else { return }
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
        let taken =
            machines.compactMap { $0.status?.claim }
            .filter { $0.hostedClusterUID == cluster.metadata.uid }.compactMap(\.podCIDR) + further
        // Somebody waits for those that were made for this very pool.
        candidates = candidates.filter { $0.spec?.nodePool != nil } + candidates.filter { $0.spec?.nodePool == nil }
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

    private mutating func release(_ machines: [Machine], for reason: ReleaseReason) {
        for name in machines.map(\.name).sorted() {
            releases.append(name)
            reasons[name] = reason
        }
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

    /// Whether its node is on its way out of this pool.
    func isLeaving(_ pool: NodePool) -> Bool {
        status?.claim?.nodePoolUID == pool.metadata.uid && status?.claim?.released == true && status?.phase == .draining
            && status?.facts?.kubeletVersion != nil
    }

    /// Whether it leaves this pool for nothing but a smaller number, and is a good node still that nothing was taken from.
    func mayBeTakenBack(by pool: NodePool) -> Bool {
        guard !metadata.isBeingDeleted, status?.phase == .draining, let claim = status?.claim, claim.nodePoolUID == pool.metadata.uid
        else { return false }
        return claim.released == true && claim.releasedFor == .scaledDown && !isDrained && status?.facts?.kubeletVersion != nil
            && status?.conditions?.named("NodeReady")?.status == "True" && unfitness(for: claim.hostedClusterUID) == nil
    }

    /// Whether its pods have gone and its Node goes: from here on it cannot be taken back.
    var isDrained: Bool { status?.conditions?.named("Draining")?.reason == DrainReport.drained }

    /// Whether this pool may claim it: free, allowed for the namespace, matched by the selector, and clean of other tenants.
    func mayBeClaimed(by pool: NodePool) -> Bool {
        guard !metadata.isBeingDeleted, status?.phase == .available, status?.claim == nil, let namespace = pool.namespace else {
            return false
        }
        if let allowed = spec?.allowedNamespaces, !allowed.contains(namespace) { return false }
        if let last = status?.lastTenant, last != namespace, spec?.reuse != .anyTenant { return false }
        if let bound = spec?.nodePool { return bound == pool.name }
        return pool.spec?.machineSelector?.matches(metadata.labels ?? [:]) ?? true
    }
}
