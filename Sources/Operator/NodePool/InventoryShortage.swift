import KubernetesAPI
import NestboxAPI

/// Why a pool finds no more Machines, counted over the inventory, for its condition. Pure.
///
/// Counts and not names: whoever looks after a pool need not know whose the other Machines are.
struct InventoryShortage: Equatable {
    /// In the order in which they are looked for, and told.
    enum Obstacle: Int, CaseIterable {
        case unselected, forbidden, leavingForGood, unregistered, quarantined, own, leaving, held, otherTenant, refused
    }

    var missing: Int
    var replicas: Int
    private(set) var counts: [Obstacle: Int] = [:]
    /// Free, and yet no nodes of this cluster: why, in a sentence each, by their names.
    var refusals: [String: String]

    init(missing: Int, replicas: Int, pool: NodePool, machines: [Machine], refusals: [String: String]) {
        self.missing = missing
        self.replicas = replicas
        self.refusals = refusals
        for machine in machines {
            if let obstacle = Self.obstacle(of: machine, pool, isRefused: refusals[machine.name] != nil) {
                counts[obstacle, default: 0] += 1
            }
        }
    }

    /// Nil for one that the pool is about to claim.
    private static func obstacle(of machine: Machine, _ pool: NodePool, isRefused: Bool) -> Obstacle? {
        if machine.isHeld(by: pool) { return .own }
        if pool.spec?.machineSelector?.matches(machine.metadata.labels ?? [:]) == false { return .unselected }
        if let allowed = machine.spec?.allowedNamespaces, !allowed.contains(pool.namespace ?? "") { return .forbidden }
        if machine.status?.phase == .quarantined { return .quarantined }
        if machine.metadata.isBeingDeleted { return .leavingForGood }
        guard let phase = machine.status?.phase else { return .unregistered }
        if machine.status?.claim != nil || phase != .available {
            return machine.status?.claim?.released == true || machine.status?.claim == nil ? .leaving : .held
        }
        if !machine.mayBeClaimed(by: pool) { return .otherTenant }
        return isRefused ? .refused : nil
    }

    var message: String {
        let all = counts.values.reduce(0, +)
        var sentence = "\(missing) of \(replicas) replicas lack a Machine: "
        if all == 0 {
            sentence += "none is registered"
        } else {
            let told = Obstacle.allCases.compactMap { obstacle in
                counts[obstacle].map { "\($0) \(Self.words(obstacle, isOne: $0 == 1))" }
            }
            sentence += "of \(all == 1 ? "1 Machine" : "\(all) Machines") " + told.joined(separator: ", ")
        }
        let shown = refusals.sorted { $0.key < $1.key }
        sentence += shown.prefix(3).map { " (Machine \($0.key) cannot be claimed: \($0.value))" }.joined()
        if shown.count > 3 { sentence += " (and \(shown.count - 3) more)" }
        return sentence + "; one that comes free, or is registered by nestbox create machine, is claimed at once"
    }

    private static func words(_ obstacle: Obstacle, isOne: Bool) -> String {
        let `is` = isOne ? "is" : "are"
        return switch obstacle {
        case .own: "\(`is`) this pool's already"
        case .unselected: "\(isOne ? "has" : "have") labels that machineSelector does not match"
        case .forbidden: "\(`is`) not for this namespace"
        case .leavingForGood: "\(`is`) being deleted"
        case .unregistered: "\(`is`) not registered yet"
        case .quarantined: "\(`is`) Quarantined"
        case .leaving: "\(`is`) being drained or cleaned"
        case .held: "\(`is`) held by other pools"
        case .otherTenant: "\(isOne ? "was" : "were") another tenant's, which reuse forbids"
        case .refused: "cannot be this cluster's \(isOne ? "node" : "nodes")"
        }
    }
}
