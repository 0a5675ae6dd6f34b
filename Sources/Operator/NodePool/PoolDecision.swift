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
    /// Why nothing may be claimed, in a sentence; nil when claiming is allowed.
    var blocked: String?
    /// Why Machines that the pool would claim cannot be this cluster's nodes, in a sentence each, by their names.
    var refusals: [String: String] = [:]
}

extension PoolDecision {
    /// Decides from the pool, its cluster (nil when it is not there) and every Machine.
    init(pool: NodePool, cluster: HostedCluster?, machines: [Machine]) {
        let held = machines.filter { $0.isHeld(by: pool) }
        if pool.metadata.isBeingDeleted || cluster == nil || cluster?.metadata.isBeingDeleted == true {
            releases = held.map(\.name).sorted()
            return
        }
        let replicas = pool.spec?.replicas ?? 0
        let leaving = held.filter { $0.metadata.isBeingDeleted }
        let staying = held.filter { !$0.metadata.isBeingDeleted }
        releases = leaving.map(\.name).sorted()
        if staying.count > replicas {
            releases += staying.sorted(by: Self.leavesBefore).prefix(staying.count - replicas).map(\.name)
        }
        guard staying.count < replicas, let cluster else { return }
        let wanted = replicas - staying.count
        var candidates: [Machine] = []
        for machine in machines.sorted(by: { $0.name < $1.name }) where machine.mayBeClaimed(by: pool) {
            let problem = machine.clash(with: machines) ?? machine.validate(in: cluster).first?.description
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
        missing = wanted - claims.count
    }

    /// Unhealthy Machines leave first, then the youngest names: the order is stable, so that two passes agree.
    private static func leavesBefore(_ left: Machine, _ right: Machine) -> Bool {
        let leftReady = left.status?.phase == .ready
        let rightReady = right.status?.phase == .ready
        return leftReady == rightReady ? left.name > right.name : !leftReady
    }
}

extension Machine {
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
