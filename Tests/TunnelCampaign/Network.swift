/// Network namespaces, one a member, joined by two bridges: tunnels go over the one, agents reach targets over the other, so that a
/// fault in the first is none between a node and what runs on it. The process is to be in a network namespace of its own, with
/// which all of it ends.
struct Network: Sendable {
    /// Where this process listens for agents' connections.
    static let targetHost = "10.77.2.1"
    /// Answers nothing, whoever asks.
    static let blackHole = "10.77.2.66"

    let log: String

    static func tunnelAddress(_ member: String) -> String { "10.77.1.\(number(member))" }
    static func targetAddress(_ member: String) -> String { "10.77.2.\(number(member))" }

    /// The member that has an address of either network.
    static func member(at address: String) -> String? {
        guard let last = address.split(separator: ".").last.flatMap({ Int($0) }), last > 10 else { return nil }
        return last < 20 ? "s\(last - 10)" : "a\(last - 20)"
    }

    private static func number(_ member: String) -> Int {
        (member.hasPrefix("s") ? 10 : 20) + (Int(member.dropFirst()) ?? 0)
    }

    func make(servers: [String], agents: [String]) async throws {
        try await run("ip link set lo up")
        for (bridge, address) in [("br-tunnel", "10.77.1.1"), ("br-target", Self.targetHost)] {
            try await run("ip link add \(bridge) type bridge")
            try await run("ip addr add \(address)/24 dev \(bridge)")
            try await run("ip link set \(bridge) up")
        }
        for member in servers + agents {
            try await run("ip netns add \(member)")
            try await run("ip -n \(member) link set lo up")
            try await leg(of: member, "eth0", on: "br-tunnel", address: Self.tunnelAddress(member))
            guard agents.contains(member) else { continue }
            try await leg(of: member, "eth1", on: "br-target", address: Self.targetAddress(member))
            try await run("ip -n \(member) neigh add \(Self.blackHole) lladdr 02:00:00:00:00:66 dev eth1 nud permanent")
        }
    }

    private func leg(of member: String, _ device: String, on bridge: String, address: String) async throws {
        let outer = "\(member)-\(device)"
        try await run("ip link add \(outer) type veth peer name \(device) netns \(member)")
        try await run("ip link set \(outer) master \(bridge) up")
        try await run("ip -n \(member) addr add \(address)/24 dev \(device)")
        try await run("ip -n \(member) link set \(device) up")
    }

    func run(_ command: String) async throws {
        try await Program.run(command.split(separator: " ").map(String.init), log: log)
    }

    func run(in member: String, _ command: String) async throws { try await run("ip netns exec \(member) \(command)") }
}
