import KubernetesAPI
import NestboxAPI

/// Which Machine of a pool goes first when it shrinks, and is taken back last when it grows again. Pure.
///
/// What an admin says by the annotation comes before all else. Then goes what serves the tenant least: nodes that are not Ready or
/// that nobody reaches, Machines that are no nodes yet, nodes of an older kind. Then those with the fewest pods to be moved, so that
/// the tenant notices least. Then by name, from the end, so that two passes over the same pool agree.
struct LeavingOrder {
    /// Whether the pool has moved on since the Machine became its node.
    var isOutdated: (Machine) -> Bool = { _ in false }
    /// The pods that a drain would move, by Machine; one that is not named has none. Empty where that was not asked.
    var pods: [String: Int] = [:]

    func callAsFunction(_ left: Machine, _ right: Machine) -> Bool {
        let (leftRank, rightRank) = (rank(of: left), rank(of: right))
        return leftRank == rightRank ? left.name > right.name : leftRank < rightRank
    }

    private func rank(of machine: Machine) -> (Int, Int, Int, Int) {
        (machine.deletionCost, machine.usefulness, isOutdated(machine) ? 0 : 1, pods[machine.name] ?? 0)
    }
}

extension Machine {
    /// What its annotation says; 0 where there is none, or no integer.
    var deletionCost: Int { metadata.annotations?[MachineAnnotation.deletionCost].flatMap { Int($0) } ?? 0 }

    /// How much its pool would miss it: from a node that fails to one that serves.
    fileprivate var usefulness: Int {
        switch status?.phase {
        case .claimed: 1
        case .joining: 2
        default: isReadyNode && status?.conditions?.named("Reachable")?.status != "False" ? 3 : 0
        }
    }
}
