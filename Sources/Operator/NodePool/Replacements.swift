import KubernetesAPI
import NestboxAPI

/// Which Machines of one pool are replaced now, for their nodes were not mended, and why no others are. Pure.
struct Replacements: Equatable {
    /// Why something that would be replaced is not, as a condition of the pool says it.
    struct Suspension: Equatable {
        var reason: String
        var message: String
    }

    var machines: [String] = []
    var suspension: Suspension?
}

extension Replacements {
    /// - Parameters:
    ///   - held: the pool's Machines that stay whatever becomes of this.
    ///   - machines: every Machine.
    init(pool: NodePool, cluster: HostedCluster, held: [Machine], machines: [Machine]) {
        guard let settings = pool.withDefaults().spec?.autoRepair, settings.enabled == true else { return }
        let nodes = held.filter { $0.status?.phase == .ready }
        let unwell = nodes.filter { !$0.isReadyNode }
        let limit = settings.maxUnhealthy?.share(of: nodes.count) ?? 0
        if unwell.count > limit {
            suspension = Suspension(
                reason: "TooManyUnhealthy",
                message: "\(unwell.count) of \(nodes.count) nodes are not Ready, and autoRepair.maxUnhealthy "
                    + "(\(settings.maxUnhealthy?.description ?? "")) allows \(limit): likely it is the network, or the control plane, that "
                    + "fails, and not the machines; nothing is replaced until fewer are")
            return
        }
        // Those that gave up first go first.
        let lost = nodes.filter { $0.status?.repair?.state == .notMended }
            .sorted { ($0.status?.repair?.since ?? "", $0.name) < ($1.status?.repair?.since ?? "", $1.name) }
        guard !lost.isEmpty else { return }
        if let trouble = cluster.specTrouble ?? cluster.outage {
            suspension = Suspension(reason: "ClusterTrouble", message: "\(Self.words(lost)) not replaced: \(trouble)")
            return
        }
        // Whatever is under way in the pool, a join or an upgrade, ends first.
        let room = (settings.maxConcurrent ?? 1) - Self.underWay(of: pool, held: held, machines: machines)
        guard room > 0 else { return }
        var spares = machines.filter { $0.mayBeClaimed(by: pool) && $0.unfitness(for: cluster.metadata.uid ?? "") == nil }.count
        var stranded: [Machine] = []
        for machine in lost where self.machines.count < room {
            // One that answers is cleaned, and can come back; giving up one that does not gains nothing without another in its place.
            if spares == 0, machine.status?.conditions?.named("Reachable")?.status == "False" {
                stranded.append(machine)
                continue
            }
            spares = max(0, spares - 1)
            self.machines.append(machine.name)
        }
        if !stranded.isEmpty {
            suspension = Suspension(
                reason: "NoMachineAvailable",
                message: "\(Self.words(stranded)) replaced as soon as a Machine that this pool may claim is Available: register one with "
                    + "nestbox create machine")
        }
    }

    /// How many of the pool's Machines are on their way in or out on account of a repair, a join or an upgrade.
    private static func underWay(of pool: NodePool, held: [Machine], machines: [Machine]) -> Int {
        let leaving = machines.filter { machine in
            machine.status?.claim?.nodePoolUID == pool.metadata.uid && [.draining, .cleaning].contains(machine.status?.phase)
                && machine.status?.claim?.releasedFor == .notMended
        }
        // One that does not come up holds up no repair for ever.
        let coming = held.filter { machine in
            machine.status?.phase != .ready && machine.status?.conditions?.named("NodeReady")?.reason != "NotReadyInTime"
        }
        // A replacement is one of each: that which leaves, and that which comes for it.
        return max(leaving.count, coming.count)
    }

    private static func words(_ machines: [Machine]) -> String {
        let names = machines.map(\.name).sorted()
        let shown = names.inWords(most: 5)
        return names.count == 1 ? "Machine \(shown) is" : "Machines \(shown) are"
    }
}

extension HostedCluster {
    /// Why its nodes' health is not to be believed, in a sentence; nil while its API is served.
    fileprivate var outage: String? {
        guard let available = status?.conditions?.named("Available"), available.status != "True" else { return nil }
        return "the control plane of HostedCluster \(key) is not Available"
    }
}
