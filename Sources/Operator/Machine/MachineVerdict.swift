import Foundation
import KubernetesAPI
import NestboxAPI
import NodeJoin

/// What was found of a machine that was looked at, held to what its Machine says. Pure.
struct MachineVerdict: Equatable {
    private(set) var findings: [MachineFinding] = []

    var isSound: Bool { findings.allSatisfy(\.passed) }

    /// In a sentence: that it is sound, or what is not.
    var message: String {
        let wrong = findings.filter { !$0.passed }
        return wrong.isEmpty ? "it is sound" : wrong.map { "\($0.name): \($0.message)" }.joined(separator: "; ")
    }

    mutating func add(_ name: String, _ passed: Bool, _ message: String) {
        findings.append(MachineFinding(name: name, passed: passed, message: message))
    }

    /// Further from ours than this, certificates and tokens are not yet or no longer valid.
    static let largestClockDifference = 30
    /// The kubelet evicts pods at 85 to 90.
    static let mostUsedPercent = 85

    mutating func judge(_ facts: MachineFacts, asKnown known: MachineFacts?) {
        let size = "\(facts.cpus ?? 0) CPUs, \(facts.memoryMiB ?? 0) MiB, \(facts.disks?.count ?? 0) disks"
        guard let known else { return add("Facts", true, size) }
        var changes: [String] = []
        func compare<Value: Equatable>(_ what: String, _ path: KeyPath<MachineFacts, Value?>) {
            guard let old = known[keyPath: path], let new = facts[keyPath: path], old != new else { return }
            changes.append("\(what) \(new) (was \(old))")
        }
        compare("CPUs", \.cpus)
        compare("MiB of memory", \.memoryMiB)
        compare("kernel", \.kernel)
        compare("system", \.operatingSystem)
        if known.disks != nil, known.disks != facts.disks { changes.append("other disks") }
        if known.gpus != facts.gpus { changes.append("other GPUs") }
        if known.machineID != nil, known.machineID != facts.machineID {
            add(
                "Facts", false,
                "its machine-id is \(facts.machineID ?? "gone"), and was \(known.machineID ?? ""): another installation, or another server")
        } else {
            add("Facts", true, changes.isEmpty ? "as known: \(size)" : "changed, and noted: \(changes.joined(separator: ", "))")
        }
    }

    mutating func judge(_ look: MachineLook, of machine: Machine, now: Date) {
        judgeClock(look, now: now)
        let full = look.usedPercent.filter { $0.value > Self.mostUsedPercent }.sorted { $0.key < $1.key }
        add(
            "Disk", full.isEmpty,
            full.isEmpty
                ? "\(look.usedPercent["/"].map { "\($0)% of / used" } ?? "nothing is known of its disks")"
                : full.map { "\($0.value)% of \($0.key) used" }.joined(separator: ", "))
        judgeClaim(look, of: machine)
        if machine.status?.phase == .ready { judgeNode(look, of: machine) }
    }

    private mutating func judgeClock(_ look: MachineLook, now: Date) {
        guard let theirs = look.now else { return add("Clock", false, "it does not say what time it is") }
        let difference = theirs - Int(now.timeIntervalSince1970)
        let words = difference == 0 ? "right" : "\(abs(difference)) s \(difference > 0 ? "ahead" : "behind")"
        add("Clock", abs(difference) <= Self.largestClockDifference, words)
    }

    private mutating func judgeClaim(_ look: MachineLook, of machine: Machine) {
        let uid = machine.metadata.uid ?? ""
        guard let claim = machine.status?.claim else {
            return add(
                "Claim", look.claim == nil,
                look.claim.map { "nobody holds it, but it says it is claimed: \($0)" } ?? "nobody's, and it says so")
        }
        let holder = "\(claim.namespace)/\(claim.nodePool)"
        switch (look.claim, machine.status?.phase) {
        case (nil, .claimed), (nil, .cleaning), (nil, .quarantined), (nil, .joining):
            add("Claim", true, "of \(holder); nothing is written on it yet, or any more")
        case (nil, _): add("Claim", false, "held by \(holder), but the machine knows nothing of it: was it reinstalled?")
        case (let said?, _):
            let isOurs = look.isClaimed(machineUID: uid, epoch: claim.epoch)
            add("Claim", isOurs, isOurs ? "of \(holder)" : "held by \(holder), but it says: \(said)")
        }
    }

    private mutating func judgeNode(_ look: MachineLook, of machine: Machine) {
        let dead = MachineLook.nodeUnits.compactMap { unit in look.units[unit].flatMap { $0 == "active" ? nil : "\(unit) is \($0)" } }
        let isThere = look.units["nestbox-kubelet.service"] != nil
        add(
            "Services", dead.isEmpty && isThere,
            !isThere ? "there is no kubelet" : dead.isEmpty ? "its kubelet and what it needs are active" : dead.joined(separator: ", "))
        let ready = machine.status?.conditions?.named("NodeReady")
        add("Node", ready?.status == "True", ready?.status == "True" ? "Ready" : ready?.message.nonEmpty ?? "not Ready")
    }

    mutating func judge(leftovers: [String]) {
        add(
            "Clean", leftovers.isEmpty,
            leftovers.isEmpty ? "nothing of a node was found" : "there is: \(leftovers.prefix(10).joined(separator: "; "))")
    }
}

extension String {
    fileprivate var nonEmpty: String? { isEmpty ? nil : self }
}

extension MachineFacts {
    /// These, seen anew: what it has of its own is to be seen on a bare machine only, and else stays as it was.
    func refreshed(by seen: MachineFacts, isBare: Bool) -> MachineFacts {
        var facts = seen
        facts.kubeletVersion = kubeletVersion
        if !isBare {
            facts.tools = tools
            facts.folders = folders
            facts.containers = containers
        }
        return facts
    }
}
