import Tunnel

/// What is to be done so that the kernel's routes are the wanted ones, touching no one else's.
struct RoutePlan: Equatable {
    /// The number by which our routes are known; it stands in no registry of `rt_protos`.
    static let protocolNumber: UInt8 = 78
    /// A metric of our own, so that adding never displaces another's route to the same block.
    static let priority: UInt32 = 780

    var add: [KernelRoute] = []
    var remove: [KernelRoute] = []
    /// Wanted blocks that someone else's route claims, with what it is.
    var conflicts: [String] = []

    init(wanted: [PodRoute], ownPods: AddressBlock?, existing: [KernelRoute]) {
        let ours = existing.filter { $0.protocolNumber == Self.protocolNumber && $0.table == UInt32(Netlink.tableMain) }
        let others = existing.filter { $0.protocolNumber != Self.protocolNumber && $0.table == UInt32(Netlink.tableMain) }
        var kept: Set<KernelRoute> = []
        for route in wanted {
            if let ownPods, ownPods.overlaps(route.pods) { continue }
            if let other = others.first(where: { $0.destination == route.pods }) {
                conflicts.append("\(route.pods) is routed by \(other.gateway.map { "way of \($0)" } ?? "an interface") already")
                continue
            }
            let new = KernelRoute(
                destination: route.pods, gateway: route.via, priority: Self.priority, protocolNumber: Self.protocolNumber)
            guard kept.insert(new).inserted else { continue }
            if !ours.contains(new) { add.append(new) }
        }
        // What is replaced need not be removed: the new route takes the place of the one with its block and metric.
        remove = ours.filter { our in !kept.contains(our) && !kept.contains { $0.destination == our.destination } }
    }
}
