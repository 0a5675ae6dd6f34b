import Glibc
import TestCampaign

/// Something that goes wrong with one member.
enum Fault: Sendable {
    /// The process is killed, without a word to anybody, or asked to stop; and started again after a pause.
    case kill(String), terminate(String)
    /// The process stands still: a silent death, which is none.
    case freeze(String)
    /// The cable is out: nothing arrives, nothing is said.
    case cut(String)
    /// Its own interface is down, which its kernel knows.
    case interfaceDown(String)
    /// It has no route to another member any more; the other's packets still arrive.
    case noRoute(String, to: String)
    /// What another member sends does not arrive.
    case deaf(String, to: String)
    /// A part of all packets is lost, in both directions.
    case loss(String, percent: Int)
    /// A narrow line with a long queue.
    case narrow(String, kilobits: Int)

    /// Whom it hurts.
    var members: Set<String> {
        switch self {
        case .kill(let one), .terminate(let one), .freeze(let one), .cut(let one), .interfaceDown(let one), .loss(let one, _),
            .narrow(let one, _):
            [one]
        case .noRoute(let one, let other), .deaf(let one, let other): [one, other]
        }
    }

    /// `homes` are the servers that agents connect to.
    static func random(servers: [String], homes: [String], agents: [String], immortal: Set<String>, using generator: inout SeededGenerator)
        -> Fault
    {
        func one(_ names: [String]) -> String { names[Int.random(in: 0..<names.count, using: &generator)] }
        let mortal = (servers + agents).filter { !immortal.contains($0) }
        switch Int.random(in: 0..<16, using: &generator) {
        case 0...3: return .kill(one(mortal))
        case 4...5: return .terminate(one(mortal))
        case 6: return .freeze(one(agents))
        case 7...8: return .cut(one(servers + agents))
        case 9: return .interfaceDown(one(servers + agents))
        case 10: return .noRoute(one(agents), to: one(homes))
        case 11: return .noRoute(one(homes), to: one(agents))
        case 12: return .deaf(one(agents), to: one(homes))
        case 13...14: return .loss(one(servers + agents), percent: Int.random(in: 5...30, using: &generator))
        default: return .narrow(one(servers + agents), kilobits: Int.random(in: 500...8000, using: &generator))
        }
    }
}

/// Makes faults, and makes them good.
struct FaultMaker: Sendable {
    let network: Network
    let members: [String: Member]

    func make(_ fault: Fault) async throws {
        switch fault {
        case .kill(let name): try await members[name]?.stop(SIGKILL)
        case .terminate(let name): try await members[name]?.stop(SIGTERM)
        case .freeze(let name): members[name]?.signal(SIGSTOP)
        case .cut(let name): try await network.run("ip link set \(name)-eth0 down")
        case .interfaceDown(let name): try await network.run("ip -n \(name) link set eth0 down")
        case .noRoute(let name, let other): try await network.run("ip -n \(name) route add blackhole \(Network.tunnelAddress(other))/32")
        case .deaf(let name, let other):
            try await network.run(in: name, "iptables -A INPUT -s \(Network.tunnelAddress(other)) -j DROP")
        case .loss(let name, let percent):
            for (chain, side) in [("INPUT", "-i"), ("OUTPUT", "-o")] {
                try await network.run(
                    in: name, "iptables -A \(chain) \(side) eth0 -m statistic --mode random --probability \(Double(percent) / 100) -j DROP")
            }
        case .narrow(let name, let kilobits):
            try await network.run(in: name, "tc qdisc add dev eth0 root tbf rate \(kilobits)kbit burst 32kb latency 400ms")
        }
    }

    func mend(_ fault: Fault) async throws {
        switch fault {
        case .kill(let name), .terminate(let name): try members[name]?.start()
        case .freeze(let name): members[name]?.signal(SIGCONT)
        case .cut(let name): try await network.run("ip link set \(name)-eth0 up")
        case .interfaceDown(let name): try await network.run("ip -n \(name) link set eth0 up")
        case .noRoute(let name, let other): try await network.run("ip -n \(name) route del blackhole \(Network.tunnelAddress(other))/32")
        case .deaf(let name, _), .loss(let name, _): try await network.run(in: name, "iptables -F")
        case .narrow(let name, _): try await network.run(in: name, "tc qdisc del dev eth0 root")
        }
    }
}
