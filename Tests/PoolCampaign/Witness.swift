import TestCampaign
import TestCommands

/// The one that sees everything happen, in the order in which it is told; what it sees is on stdout, too.
actor Witness {
    private(set) var judge = Judge()
    private var told = 0

    private var now: Moment { sinceBeginning().seconds }

    func see(_ change: Judge.Change) {
        tell(change)
        judge.see(change, at: now)
        tellProblems()
    }

    func see(processes: [String: Set<String>]) {
        judge.see(processes: processes, at: now)
        judge.settle(now)
        tellProblems()
    }

    func see(_ look: MachineLook, of machine: String) {
        judge.see(look, of: machine, at: now)
        tellProblems()
    }

    func asked(_ pool: String, from: Int, to: Int) { judge.asked(pool, from: from, to: to) }
    func askedToRoll(_ pool: String) { judge.askedToRoll(pool) }
    func rested() { judge.rested() }

    func faultBegan(_ fault: MachineFault, on machine: String, during: String) -> Int {
        say("  \(machine): \(fault.rawValue)")
        return judge.faultBegan(fault, on: machine, during: during, at: now)
    }

    func faultEnded(_ index: Int) {
        judge.faultEnded(index, at: now)
        let fault = judge.faults[index]
        say("  \(fault.machine): no more \(fault.fault.rawValue), after \(((now - fault.from) * 10).rounded() / 10) s")
    }

    func problem(_ words: String) {
        judge.add("\(Judge.time(now)) \(words)")
        tellProblems()
    }

    private func tellProblems() {
        for problem in judge.problems.dropFirst(told) { say("PROBLEM \(problem)") }
        told = judge.problems.count
    }

    private func tell(_ change: Judge.Change) {
        switch change {
        case .machine(let new):
            let old = judge.machines[new.name]
            var words: [String] = []
            if old?.phase != new.phase { words.append(new.phase + (new.pool.map { " in \($0)" } ?? "")) }
            if let reason = new.releasedFor, old?.releasedFor == nil { words.append("released for \(reason)") }
            if old?.repair != new.repair, let repair = new.repair { words.append(repair) }
            if old?.message != new.message, !new.message.isEmpty { words.append("\"\(new.message.prefix(300))\"") }
            if !words.isEmpty { say("    \(new.name) \(words.joined(separator: ", "))") }
        case .node(let new):
            let old = judge.nodes[new.name]
            if old?.isReady != new.isReady { say("    node \(new.name) \(new.isReady ? "Ready" : "not Ready") \(new.version)") }
        case .nodeGone(let name): say("    node \(name) gone")
        case .pod(let new):
            let old = judge.pods[new.uid]
            if let node = new.node, old?.node == nil { say("      pod \(new.name) comes to \(node)") }
            if new.isLeaving, old?.isLeaving != true { say("      pod \(new.name) leaves \(new.node ?? "")") }
            if new.phase == "Failed", old?.phase != "Failed" { say("      pod \(new.name) failed on \(new.node ?? ""): \(new.reason)") }
        case .podGone(let uid): if let pod = judge.pods[uid] { say("      pod \(pod.name) is gone from \(pod.node ?? "")") }
        case .machineGone, .pool: break
        }
    }
}
