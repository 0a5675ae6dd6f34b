import TestCommands

/// From what was seen, what was wrong. It knows what was asked for and what was broken, and nothing of how the operator decides. Pure.
struct Judge: Sendable {
    /// Something changed in one of the two APIs.
    enum Change: Equatable, Sendable {
        case machine(MachineSeen), machineGone(String)
        case pool(PoolSeen)
        case node(NodeSeen), nodeGone(String)
        case pod(PodSeen), podGone(uid: String)
    }

    /// How long the two APIs may differ in what they show.
    static let skew: Moment = 6
    /// `unhealthyTimeout` of the pools.
    static let unhealthyTimeout: Moment = 60
    /// How long after a fault its machine may still be given up: the last look, and what follows from it.
    static let lastLook: Moment = 75
    /// `tolerationSeconds`, after which Kubernetes itself gives pods up.
    static let toleration: Moment = 300
    /// How long a kubelet may go on freeing a disk that has room again.
    static let diskPressure: Moment = 90

    private(set) var problems: [String] = []
    private(set) var faults: [FaultRecord] = []
    private(set) var machines: [String: MachineSeen] = [:]
    private(set) var pools: [String: PoolSeen] = [:]
    private(set) var nodes: [String: NodeSeen] = [:]
    /// By UID.
    private(set) var pods: [String: PodSeen] = [:]
    /// Pods that went from a node, each once.
    private(set) var departures = 0
    private(set) var quarantines = 0
    private(set) var replacements = 0

    /// What each Machine was, since when.
    private var history: [String: [(at: Moment, machine: MachineSeen)]] = [:]
    private var uids: [String: String] = [:]
    private var notReady: [String: Span] = [:]
    private var leaving: [Departure] = []
    private var departed: Set<String> = []
    /// The epoch of the claim of the machine that a pod came to.
    private var epochs: [String: Int] = [:]
    private var mayShrink: [String: Int] = [:]
    private var mayRoll: Set<String> = []
    private var upgraded: Set<String> = []
    private var doubled: Set<String> = []

    private struct Span {
        var from: Moment
        var to: Moment?
    }

    private struct Departure {
        var pod: PodSeen
        var node: String
        var at: Moment
    }

    // MARK: What was done

    /// One pool was asked to have so many nodes.
    mutating func asked(_ pool: String, from: Int, to: Int) { mayShrink[pool, default: 0] += max(0, from - to) }

    /// One pool was asked for other nodes, or to go on.
    mutating func askedToRoll(_ pool: String) {
        mayRoll.insert(pool)
        upgraded = upgraded.filter { machines[String($0.prefix { $0 != " " })]?.pool != pool }
    }

    /// All was at rest: what was asked for is done.
    mutating func rested() {
        mayShrink = [:]
        mayRoll = []
        upgraded = []
    }

    mutating func faultBegan(_ fault: MachineFault, on machine: String, during: String, at: Moment) -> Int {
        faults.append(FaultRecord(fault: fault, machine: machine, from: at, during: during))
        return faults.count - 1
    }

    mutating func faultEnded(_ index: Int, at: Moment) { faults[index].to = at }

    func isFaulty(_ machine: String) -> Bool { faults.contains { $0.machine == machine && $0.to == nil } }

    mutating func add(_ problem: String) { problems.append(problem) }

    // MARK: What was seen

    mutating func see(_ change: Change, at: Moment) {
        switch change {
        case .machine(let machine): see(machine, at)
        case .machineGone(let name):
            machines[name] = nil
            problems.append("\(Self.time(at)) Machine \(name) vanished")
        case .pool(let pool): pools[pool.name] = pool
        case .node(let node): see(node, at)
        case .nodeGone(let name):
            nodes[name] = nil
            notReady[name] = notReady[name] ?? Span(from: at)
        case .pod(let pod): see(pod, at)
        case .podGone(let uid):
            if let pod = pods[uid] { depart(pod, at) }
            pods[uid] = nil
        }
        settle(at)
    }

    /// On which machines a process of each pod that there may be only one of runs.
    mutating func see(processes: [String: Set<String>], at: Moment) {
        for (pod, places) in processes where places.count > 1 {
            let words = "pod \(pod) runs on \(places.sorted().joined(separator: " and ")) at once"
            if doubled.insert(words).inserted { problems.append("\(Self.time(at)) \(words)") }
        }
    }

    /// What the machine itself says, seen at rest.
    mutating func see(_ look: MachineLook, of name: String, at: Moment) {
        guard let machine = machines[name] else { return }
        let when = "\(Self.time(at)) \(name), \(machine.phase),"
        if machine.phase == "Ready" {
            let wanted = "owner=\(machine.uid) epoch=\(machine.epoch ?? -1)"
            if look.claim != wanted { problems.append("\(when) has the claim \"\(look.claim)\" on it, not \"\(wanted)\"") }
            if !look.runsKubelet { problems.append("\(when) runs no kubelet") }
        } else if machine.phase == "Available" {
            if !look.claim.isEmpty { problems.append("\(when) has the claim \"\(look.claim)\" on it") }
            if !look.leftovers.isEmpty { problems.append("\(when) is not clean: \(look.leftovers.joined(separator: ", "))") }
        }
    }

    private mutating func see(_ machine: MachineSeen, _ at: Moment) {
        let name = machine.name
        let old = machines[name]
        machines[name] = machine
        history[name, default: []].append((at, machine))
        if let known = uids[name], known != machine.uid {
            problems.append("\(Self.time(at)) Machine \(name) is another object than it was")
        }
        uids[name] = machine.uid
        for other in machines.values where other.name != name {
            if other.address == machine.address { problems.append("\(Self.time(at)) \(name) and \(other.name) have one address") }
            if let cidr = machine.podCIDR, other.podCIDR == cidr, other.cluster == machine.cluster {
                problems.append("\(Self.time(at)) \(name) and \(other.name) carry one pod network, \(cidr)")
            }
        }
        if let epoch = machine.epoch, let before = history[name]?.compactMap({ $0.machine.epoch }).max(), epoch < before {
            problems.append("\(Self.time(at)) \(name) has epoch \(epoch) after \(before)")
        }
        if let old, let pool = old.pool, old.epoch == machine.epoch, machine.pool != pool {
            problems.append("\(Self.time(at)) \(name) went from pool \(pool) to \(machine.pool ?? "none") within one claim")
        }
        if machine.phase == "Quarantined", old?.phase != "Quarantined" { judgeQuarantine(machine, at) }
        let wasReleased = old?.epoch == machine.epoch ? old?.releasedFor : nil
        // Whoever has a Quarantined one cleaned gives it back by that.
        if let reason = machine.releasedFor, wasReleased == nil, old?.phase != "Quarantined" { judgeRelease(machine, reason, at) }
        // It is kept after all.
        if machine.releasedFor == nil, wasReleased == "ScaledDown", let pool = machine.pool, old?.epoch == machine.epoch {
            mayShrink[pool, default: 0] += 1
        }
        if let revision = machine.upgrade, old?.upgrade != revision { judgeUpgrade(machine, to: revision, at) }
    }

    private mutating func see(_ node: NodeSeen, _ at: Moment) {
        nodes[node.name] = node
        if node.isReady {
            if notReady[node.name]?.to == nil { notReady[node.name]?.to = at }
        } else if notReady[node.name].map({ $0.to != nil }) ?? true {
            notReady[node.name] = Span(from: at)
        }
        for other in nodes.values where other.name != node.name {
            if let address = node.address, other.address == address {
                let words = "nodes \(min(node.name, other.name)) and \(max(node.name, other.name)) have one address"
                if doubled.insert(words).inserted { problems.append("\(Self.time(at)) \(words)") }
            }
        }
    }

    private mutating func see(_ pod: PodSeen, _ at: Moment) {
        let old = pods[pod.uid]
        pods[pod.uid] = pod
        if let node = pod.node, old?.node == nil { epochs[pod.uid] = machines[node]?.epoch }
        if pod.isLeaving || pod.phase == "Failed" { depart(pod, at) }
    }

    private mutating func depart(_ pod: PodSeen, _ at: Moment) {
        guard let node = pod.node, departed.insert(pod.uid).inserted else { return }
        departures += 1
        leaving.append(Departure(pod: pod, node: node, at: at))
    }

    // MARK: Judgements

    private mutating func judgeQuarantine(_ machine: MachineSeen, _ at: Moment) {
        quarantines += 1
        guard let reasons = MachineFault.reasons(forQuarantine: machine.message) else {
            problems.append("\(Self.time(at)) \(machine.name) is Quarantined for what no fault did: \(machine.message)")
            return
        }
        let isTrue = faults.contains { reasons.faults.contains($0.fault) && $0.wasOn(machine.name, at - reasons.within, at) }
        if !isTrue { problems.append("\(Self.time(at)) \(machine.name) is Quarantined without such a fault: \(machine.message)") }
    }

    private mutating func judgeRelease(_ machine: MachineSeen, _ reason: String, _ at: Moment) {
        let pool = machine.pool ?? ""
        let words = "\(Self.time(at)) \(machine.name) of pool \(pool) is given back (\(reason))"
        switch reason {
        case "ScaledDown":
            mayShrink[pool, default: 0] -= 1
            if mayShrink[pool, default: 0] < 0 { problems.append("\(words), and nobody asked for fewer nodes") }
        case "Outdated":
            if !mayRoll.contains(pool) { problems.append("\(words), and nobody asked for other nodes") }
        case "NotMended":
            replacements += 1
            guard let span = notReady[machine.name], (span.to ?? .infinity) >= at - Self.skew,
                at - span.from >= Self.unhealthyTimeout - Self.skew
            else {
                problems.append("\(words), and its Node was not unwell for \(Self.unhealthyTimeout) s")
                return
            }
            let meanwhile = faults.filter { $0.wasOn(machine.name, span.from - Self.unhealthyTimeout, at) }
            if meanwhile.isEmpty { problems.append("\(words), and nothing was done to it") }
            if !meanwhile.isEmpty, !meanwhile.contains(where: { ($0.to ?? .infinity) >= at - Self.lastLook }) {
                problems.append("\(words), long after its fault was over (\(meanwhile.compactMap(\.to).max().map(Self.time) ?? ""))")
            }
        case "Unfit":
            if !faults.contains(where: { $0.fault == .fill && $0.wasOn(machine.name, at - 120, at) }) {
                problems.append("\(words), and nothing made it so: \(machine.message)")
            }
        default: problems.append("\(words), for no reason that was given: \(machine.message)")
        }
    }

    private mutating func judgeUpgrade(_ machine: MachineSeen, to revision: String, _ at: Moment) {
        let words = "\(Self.time(at)) \(machine.name) of pool \(machine.pool ?? "") is upgraded to \(revision)"
        if !mayRoll.contains(machine.pool ?? "") { problems.append("\(words), and nobody asked for it") }
        if !upgraded.insert("\(machine.name) \(revision)").inserted { problems.append("\(words) twice") }
    }

    /// Judges the pods that went long enough ago that both APIs have told of it.
    mutating func settle(_ now: Moment) {
        let due = leaving.filter { now >= $0.at + Self.skew }
        guard !due.isEmpty else { return }
        leaving.removeAll { now >= $0.at + Self.skew }
        for departure in due where !mayGo(departure) {
            let pod = departure.pod
            problems.append(
                "\(Self.time(departure.at)) pod \(pod.name) went from \(departure.node) (\(pod.isLeaving ? "deleted" : "\(pod.phase) \(pod.reason)")), "
                    + "which was \(states(of: departure.node, around: departure.at).map(\.phase).joined(separator: ", then "))")
        }
    }

    /// Whether a pod had to go from its node: what made the machine leave is judged where it left.
    private func mayGo(_ departure: Departure) -> Bool {
        let (node, at) = (departure.node, departure.at)
        let states = states(of: node, around: at)
        if states.contains(where: { $0.releasedFor != nil || ["Draining", "Upgrading", "Cleaning", "Quarantined"].contains($0.phase) }) {
            return true
        }
        // It was of an earlier claim, and what was left of that is removed.
        if states.contains(where: { $0.epoch == nil || $0.epoch != epochs[departure.pod.uid] }) { return true }
        func wasHit(by kinds: Set<MachineFault>, since start: Moment) -> Bool {
            faults.contains { kinds.contains($0.fault) && $0.wasOn(node, start, at) }
        }
        if departure.pod.reason == "Evicted" { return wasHit(by: [.fill], since: at - Self.diskPressure) }
        guard let span = notReady[node], (span.to ?? .infinity) >= at - Self.skew, at - span.from >= Self.toleration - 10 else {
            return false
        }
        return wasHit(by: Set(MachineFault.allCases), since: span.from - Self.unhealthyTimeout)
    }

    private func states(of machine: String, around at: Moment) -> [MachineSeen] {
        let all = history[machine] ?? []
        let first = all.lastIndex { $0.at <= at - Self.skew } ?? 0
        return all.indices.filter { $0 >= first && all[$0].at <= at + Self.skew }.map { all[$0].machine }
    }

    // MARK: Rest

    /// What is still missing until the pools are as they were asked to be, and nothing is under way.
    func lacking(sizes: [String: Int]) -> [String] {
        var lacking: [String] = []
        for machine in machines.values.sorted(by: { $0.name < $1.name }) where !["Ready", "Available"].contains(machine.phase) {
            lacking.append("\(machine.name) is \(machine.phase)\(machine.message.isEmpty ? "" : " (\(machine.message))")")
        }
        for (name, size) in sizes.sorted(by: { $0.key < $1.key }) {
            guard let pool = pools[name], pool.isObserved else {
                lacking.append("pool \(name) has not been looked at")
                continue
            }
            let held = machines.values.filter { $0.pool == name && $0.phase == "Ready" && $0.releasedFor == nil }
            if held.count != size { lacking.append("pool \(name) holds \(held.count) of \(size) Machines") }
            if let old = held.first(where: { $0.revision != pool.revision }) {
                lacking.append("\(old.name) is of revision \(old.revision ?? "none"), not \(pool.revision)")
            }
            if pool.replicas != size || pool.ready != size || pool.updated != size {
                lacking.append("pool \(name) says \(pool.replicas) replicas, \(pool.ready) ready, \(pool.updated) updated, of \(size)")
            }
            for type in ["Ready", "Progressing"] where pool.conditions[type]?.hasPrefix("True") == false {
                lacking.append("pool \(name) says \(type) \(pool.conditions[type] ?? "")")
            }
        }
        let ready = Set(machines.values.filter { $0.phase == "Ready" }.map(\.name))
        for name in ready.subtracting(nodes.keys).sorted() { lacking.append("\(name) is no node of the tenant's") }
        for node in nodes.values.sorted(by: { $0.name < $1.name }) {
            if !ready.contains(node.name) { lacking.append("node \(node.name) is left") }
            if !node.isReady { lacking.append("node \(node.name) is not Ready") }
            if node.isCordoned { lacking.append("node \(node.name) is cordoned") }
            if node.podCIDR != machines[node.name]?.podCIDR {
                lacking.append("node \(node.name) carries another pod network than its Machine")
            }
        }
        if !ready.isEmpty {
            // What failed without being one of a kind is replaced, and stays to be looked at.
            for pod in pods.values.sorted(by: { $0.name < $1.name })
            where (!pod.isReady || pod.isLeaving) && (pod.isStateful || pod.phase != "Failed") {
                lacking.append("pod \(pod.name) is \(pod.isLeaving ? "leaving" : pod.phase) on \(pod.node ?? "no node")")
            }
        }
        return lacking
    }

    static func time(_ moment: Moment) -> String { "\((moment * 10).rounded() / 10) s:" }
}
