import NestboxAPI

/// The computer's end of the link to the host: the only thing of the lab in the computer's own network.
struct ComputerLink: Sendable {
    let name: String
    let plan: AddressPlan

    /// Gives it its address, and routes to the machines and to the host's further nodes. May be done again.
    func configure() async throws {
        let purpose = "setting up the link \(name) to the lab"
        try await Command.output("ip", ["address", "replace", "\(plan.computer)/30", "dev", name], purpose: purpose)
        try await Command.output("ip", ["link", "set", name, "up"], purpose: purpose)
        for network in [plan.machines, plan.hostNodes] {
            try await Command.output("ip", ["route", "replace", "\(network)", "via", "\(plan.host)", "dev", name], purpose: purpose)
        }
    }

    /// Usually it is gone with the host's end already; an interface without a host would stand in the way of the next one.
    static func remove(_ name: String) async throws {
        guard Files.exists("/sys/class/net/\(name)") else { return }
        _ = try await Command.result("ip", ["link", "delete", name], purpose: "removing the link \(name)")
        guard try await Wait.until(.seconds(10), { !Files.exists("/sys/class/net/\(name)") }) else {
            throw LabError("the interface \(name) cannot be removed: try \"ip link delete \(name)\"")
        }
    }
}

/// Which networks this computer uses.
enum NetworksInUse {
    /// Those of its addresses and routes, but for one interface's.
    static func ofThisComputer(except link: String) async throws -> [IPv4Network] {
        let routes = try await Command.output("ip", ["-4", "route", "show", "table", "all"], purpose: "reading this computer's routes")
        return parse(routes: routes, except: link)
    }

    /// Reads `ip -4 route`: `10.0.0.0/8 via 192.0.2.1 dev eth0`, `local 192.0.2.2 dev eth0 table local ...`.
    static func parse(routes: String, except link: String) -> [IPv4Network] {
        routes.split(whereSeparator: \.isNewline).compactMap { line in
            let words = line.split(separator: " ")
            if let dev = words.firstIndex(of: "dev"), dev + 1 < words.count, words[dev + 1] == link { return nil }
            for word in words.prefix(2) {
                if let network = IPv4Network(word) { return network }
                if let address = IPv4Address(word) { return IPv4Network(base: address, prefixLength: 32) }
            }
            return nil
        }
    }
}
